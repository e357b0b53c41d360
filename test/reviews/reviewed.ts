/**
 * Projects whose work is reviewed: the author is an agent CLI that does what a test tells it, reviewers are commands that
 * answer as a file says, and write down that they were asked.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JobDetail } from '../../src/operations/operations.ts';
import type { StatusReport } from '../../src/operations/status.ts';
import { installFake, type Play, type Step, voices } from '../agents/cli/fakes/fakes.ts';
import { anyDisk, jobsOf, linesOf, unconfined } from '../daemon/agents.ts';
import { makeProject, type Project, until } from '../daemon/project.ts';

/** What a reviewer does: the first that fits. */
export interface Answer {
  /** Stands in its prompt: the name of the file, words of the report. */
  readonly when: string;
  /** Absent: each of them. */
  readonly agent?: string;
  /** Printed as it is; an object as JSON. */
  readonly say?: string | object;
  /** Waits for this file before. */
  readonly until?: string;
  readonly exit?: number;
}

export interface Reviewed extends Project {
  /** What the author does from now on. */
  author(...plays: readonly Play[]): void;
  reviewers(...answers: readonly Answer[]): void;
  /** `one a.txt`: who was asked about what, in order; what fits no answer is approved. */
  asked(): readonly string[];
  /** The prompts that the author got, in order. */
  prompts(): readonly string[];
}

const reviewer = `
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
const name = process.argv[2];
const prompt = readFileSync(process.env.SLUICE_PROMPT_FILE, 'utf8');
const answers = existsSync('reviewers.json') ? JSON.parse(readFileSync('reviewers.json', 'utf8')) : [];
const found = answers.find(({ when, agent = name }) => agent === name && prompt.includes(when)) ?? { when: '(any)' };
appendFileSync('asked.log', name + ' ' + found.when + '\\n');
while (found.until && !existsSync(found.until)) await sleep(20);
if (found.exit) process.exit(found.exit);
const say = found.say ?? { verdict: 'approved', summary: 'It is fine.', findings: [] };
process.stdout.write(typeof say === 'string' ? say : JSON.stringify(say));
`;

export const concern = (text = 'It could be clearer.') => ({
  verdict: 'concern',
  summary: text,
  findings: [{ severity: 'major', text, place: null, evidence: null }],
});
export const blocker = (text: string) => ({
  verdict: 'blocker',
  summary: text,
  findings: [{ severity: 'blocking', text, place: 'report:1', evidence: 'It says so.' }],
});

/** It begins, says each of these on its own, and succeeds with the last of them. */
export function says(...texts: readonly string[]): readonly Step[] {
  const { began, said, done } = voices.claude;
  return [{ out: began }, ...texts.map((text) => ({ out: said(text) })), { out: done(texts.at(-1) ?? '') }];
}

/** Lines of a message that are events. */
export function event(type: string, text: string): string {
  return JSON.stringify({ type, payload: { text } });
}

/** @param o.reviews Further keys of `reviews`. */
export function reviewedProject(
  o: {
    readonly reviews?: string;
    readonly reviewers?: readonly string[];
    readonly config?: string;
    readonly limits?: string;
    /** Further agents, as YAML. */
    readonly agents?: string;
  } = {},
): Reviewed {
  const {
    reviews = '',
    reviewers = ['one', 'two'],
    config = '',
    limits = '{ max_processes: 8 }',
    agents = '',
  } = o;
  const project = makeProject(`
watch: [{ path: ./inbox }]
${config.includes('routing_rules:') ? '' : 'routing_rules: [{ name: all, pattern: "**", agent: author, prompt: Sum it up. }]'}
agents:
  author:
    kind: claude
    program: ./cli/claude
    capabilities: []
    max_load: 8
    env: { ANTHROPIC_API_KEY: some-key }
    ${unconfined}
    retry: { attempts: 1 }
${reviewers
  .map(
    (name) => `  ${name}:
    kind: command
    command: [${process.execPath}, reviewer.mjs, ${name}]
    capabilities: [code_review]
    max_load: 4
    ${unconfined}
    retry: { attempts: 1 }
`,
  )
  .join('')}
${agents}
reviews: { ${reviews} }
concurrency_limits: ${limits}
${config.includes('daemon:') ? '' : anyDisk}${config}`);
  project.write('reviewer.mjs', reviewer);
  const fake = installFake(join(project.dir, 'cli'), 'claude', says('All is well.'));
  return {
    ...project,
    author: (...plays) => fake.play(...plays, says('All is well.')),
    reviewers: (...answers) => void project.write('reviewers.json', JSON.stringify(answers)),
    asked: () => linesOf(project, 'asked.log'),
    // One that has only just been started has not read it yet.
    prompts: () => fake.seen().flatMap(({ stdin }) => stdin ?? []),
  };
}

/** The job of a file as `jobs show` tells it; of several the newest. */
export async function jobOf(project: Project, path: string): Promise<JobDetail> {
  const found = (await jobsOf(project)).find(({ input }) => input.root === 'inbox' && input.path === path);
  if (!found) throw new Error(`no job of ${path}`);
  return project.client.get<JobDetail>(`/api/jobs/${found.job_id}`);
}

/** Waits for a state of the job of a file. */
export async function reached(
  project: Project,
  path: string,
  ...states: readonly string[]
): Promise<JobDetail> {
  let last: JobDetail | undefined;
  await until(`${path} is ${states.join(' or ')}`, async () => {
    last = await jobOf(project, path).catch(() => undefined);
    return last !== undefined && states.includes(last.state);
  }).catch((error: Error) => {
    throw new Error(`${error.message}; it is ${JSON.stringify(last, undefined, 1)}`);
  });
  return last as JobDetail;
}

/** Who asks a person, by job. */
export async function askers(project: Project): Promise<readonly string[]> {
  const { conditions } = await project.client.get<StatusReport>('/api/status');
  return conditions.filter(({ code }) => code === 'REVIEW_ASKS').map(({ subject }) => subject);
}

/** `2 step: sent back`, `1 result: continue one approved, two concern`. */
export function brief({ reviews = [] }: Pick<JobDetail, 'reviews'>): readonly string[] {
  return reviews.map(
    ({ round, trigger, decision, is_revised: isRevised, verdicts }) =>
      `${round} ${trigger}: ${isRevised ? 'revised' : decision} ${verdicts.map(({ agent, verdict }) => `${agent} ${verdict}`).join(', ')}`,
  );
}

/** Names in `reviews/` beside the result. */
export function filesOf(project: Project, path: string): readonly string[] {
  const dir = join(project.dir, 'processed/files/inbox', path, 'reviews');
  return existsSync(dir) ? readdirSync(dir).toSorted() : [];
}

export function resultOf(project: Project, path: string): string {
  return readFileSync(join(project.dir, 'processed/files/inbox', path, 'result.md'), 'utf8').trimEnd();
}

/** Agent CLIs as reviewers: of other kinds than the author, looking only; and an author that works on a copy. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { answers, type Fake, installFake, voices } from '../agents/cli/fakes/fakes.ts';
import { jobsOf, unconfined } from '../daemon/agents.ts';
import { makeProject } from '../daemon/project.ts';
import { blocker, brief, filesOf, reached } from './reviewed.ts';

const approval = (summary: string) => JSON.stringify({ verdict: 'approved', summary, findings: [] });

/** An agent CLI that only says something; denied to run a command, and not minding. */
function deniedAnswer(text: string) {
  const { began, said, done } = voices.claude;
  const denial = { tool_name: 'Bash', tool_use_id: 't1', tool_input: { command: 'npm test' } };
  const end = JSON.stringify({ ...JSON.parse(done(text)), permission_denials: [denial] });
  return [{ out: `${began}${said(text)}${end}\n` }];
}

const agent = (name: string, kind: string, more = '') => `  ${name}:
    kind: ${kind}
    program: ./${name}/${kind}
    capabilities: [code_review]
    env: { ANTHROPIC_API_KEY: k, CODEX_API_KEY: k, GEMINI_API_KEY: k }
    ${unconfined}
    retry: { attempts: 2, initial: 100ms }
    max_load: 4
${more}`;

test('other kinds than the author look, whatever they may do otherwise; what is judged good is put in place', async () => {
  const project = makeProject(`
watch: [{ path: ./inbox }]
routing_rules: [{ name: all, pattern: "**/*.txt", agent: writer, prompt: "Write a note." }]
agents:
${agent('writer', 'claude', '    workspace: copy\n    permissions: { mode: edit, ceiling: edit }')}
${agent('peer', 'claude')}
${agent('other', 'codex', '    workspace: copy\n    permissions: { mode: edit, ceiling: all }')}
${agent('third', 'gemini')}
reviews: { reviewers: 3 }
daemon: { min_free_disk: 1MiB }
`);
  const fakes = Object.fromEntries(
    (
      [
        ['writer', 'claude'],
        ['peer', 'claude'],
        ['other', 'codex'],
        ['third', 'gemini'],
      ] as const
    ).map(([name, kind]) => [name, installFake(join(project.dir, name), kind)]),
  ) as Record<'writer' | 'peer' | 'other' | 'third', Fake>;
  const write = (text: string) => ({ run: ['sh', '-c', `echo "${text}" > a.note`] as const });
  fakes.writer.play(
    { when: { prompt: 'Name the author.' }, steps: [write('good'), ...answers('claude', 'By me.')] },
    [write('bad'), ...answers('claude', 'A note.')],
  );
  fakes.peer.play(deniedAnswer(approval('I could not run the tests, it is fine.')));
  fakes.other.play(
    { when: { prompt: 'By me.' }, steps: answers('codex', approval('Now it is.')) },
    answers('codex', JSON.stringify(blocker('Name the author.'))),
  );
  // What does not fit is told, once.
  fakes.third.play(
    { when: { prompt: 'was not accepted' }, steps: answers('gemini', approval('Yes.')) },
    answers('gemini', 'I like it!'),
  );
  project.write('inbox/a.txt', 'a');
  await project.start();
  const job = await reached(project, 'a.txt', 'succeeded', 'held');
  expect([job.message, ...brief(job)]).toEqual([
    undefined,
    '1 result: revised other blocker, third approved, peer approved',
    '2 result: continue other approved, third approved, peer approved',
  ]);
  // They have seen what it changed; nothing of it stood in the tree before it was judged.
  const [seen] = fakes.other.seen();
  expect(seen?.stdin).toContain('+bad');
  expect(seen?.argv.join(' ')).toContain('read-only');
  expect(seen?.cwd).toBe(project.dir);
  expect(job.promoted).toEqual([expect.objectContaining({ path: 'a.note', change: 'added' })]);
  expect(readFileSync(join(project.inbox, 'a.note'), 'utf8')).toBe('good\n');
  expect(filesOf(project, 'a.txt')).toHaveLength(4);
  // Their cost is their own, and known where they say so.
  expect(job.reviews?.[0]?.verdicts.map(({ cost_usd: cost }) => cost)).toEqual([null, null, 0.00472]);
  const peer = (await jobsOf(project)).find(({ agent: name }) => name === 'peer');
  expect(peer).toMatchObject({ state: 'succeeded', attempts: [{ cli: { denials: [expect.any(String)] } }] });
  const shown = await project.sluice('jobs', 'show', peer?.job_id ?? '');
  expect(shown.stdout).toContain(`sluice jobs show ${job.job_id}`);
  const refused = await project.sluice('jobs', 'retry', peer?.job_id ?? '');
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringContaining('is what a reviewer was asked'),
  ]);
  expect(existsSync(join(project.dir, '.sluice/work', job.job_id))).toBe(false);
});

/** `routing_rules` → rules in the order in which they are tried, each with a unique name and a target that exists. */
import { relative } from 'node:path';
import { workflowAgent } from '../types/step-task.ts';
import { checkPatterns, shadows } from './check-patterns.ts';
import {
  type AgentConfig,
  isCliAgent,
  type ReviewsConfig,
  type RuleConfig,
  type RuleTarget,
} from './config.ts';
import { readNamedFile } from './named-file.ts';
import { resolveExpect, warnOfReaders } from './resolve-expect.ts';
import { resolveBudget, warnOfLoad } from './resolve-limits.ts';
import {
  candidatesOf,
  type KnownAgents,
  resolveBatch,
  resolveTarget,
  warnOfSingleFile,
  workersOf,
} from './resolve-target.ts';
import type { ResolvedWorkflows } from './resolve-workflows.ts';
import { type Loose, oneLine, type Resolving, refuseBadPlaceholders } from './resolving.ts';
import type { ConfigFile, RuleFile } from './schema.ts';
import { parseSize } from './size.ts';
import type { Path } from './source.ts';

/**
 * @param workflows Those that are there; the rules of their `on.file` come after those of the file.
 * @param limits Of the whole daemon.
 * @param reviews Undefined: there is no such section.
 */
export async function resolveRules(
  context: Resolving,
  file: Loose<ConfigFile['routing_rules']>,
  agents: KnownAgents,
  workflows: ResolvedWorkflows,
  limits: { readonly maxProcesses: number; readonly maxConcurrentFiles: number },
  reviews: Pick<ReviewsConfig, 'on'> | undefined,
): Promise<readonly RuleConfig[]> {
  const written = [...file.entries()].filter(
    (entry): entry is [number, Loose<RuleFile>] => entry[1] !== undefined,
  );
  const names = uniqueNames(context, written);
  const rules: PlacedRule[] = [];
  for (const [index, rule] of written) {
    const at = ['routing_rules', index];
    const patterns = [rule.pattern ?? []].flat().filter((pattern) => pattern !== undefined);
    if (rule.pattern !== undefined) checkPatterns(context.findings, [...at, 'pattern'], rule.pattern);
    const target = resolveTarget(context, rule, at, agents, workflows);
    const candidates = candidatesOf(target).map((name) => agents.get(name));
    const name = names.get(index) ?? '';
    const prompt = await resolvePrompt(context, rule, index, target, agents);
    const expect = await resolveExpect(context, rule.expect, [...at, 'expect']);
    warnOfReaders(context, expect, [...at, 'expect'], candidates);
    const batch = resolveBatch(context, rule.batch, [...at, 'batch'], candidates, limits.maxConcurrentFiles);
    if (batch && prompt !== undefined)
      warnOfSingleFile(
        context,
        [...at, rule.prompt === undefined ? 'prompt_file' : 'prompt'],
        prompt,
        name,
        'Let the prompt speak of the files in `$SLUICE_FILES`, a file with their NUL-separated paths.',
      );
    if (batch) for (const agent of candidates) warnOfSingleArgument(context, agent, name);
    const budget = resolveBudget(context, [...at, 'budget'], rule.budget);
    if (budget && candidates.length > 0 && candidates.every((agent) => agent?.kind === 'builtin'))
      context.findings.add(
        'error',
        'CONFLICT',
        { path: [...at, 'budget'], key: true },
        '`budget` has no effect: the builtin agent costs nothing',
        'Remove it, or name another agent.',
      );
    const maxLoad = typeof rule.max_load === 'number' ? rule.max_load : Number.POSITIVE_INFINITY;
    const above = Math.min(limits.maxProcesses, ...candidates.map((agent) => agent?.maxLoad ?? Infinity));
    if (Number.isFinite(maxLoad) && maxLoad > above && candidates.length < 2)
      warnOfLoad(context, [...at, 'max_load'], above);
    checkReview(context, rule, [...at, 'review'], name, reviews !== undefined);
    if (batch && reviews && reviews.on.size > 0) {
      const workers = workersOf(target, agents).map((worker) => agents.get(worker));
      refuseReviewOfCopies(context, rule, [...at, 'batch'], name, workers);
    }
    const maxInput = rule.max_input ?? 'unlimited';
    rules.push({
      index,
      place: { context, at },
      name,
      // "./" says nothing that a relative pattern does not say.
      patterns: patterns.map((pattern) => pattern.replace(/^(!?)(?:\.\/)+/, '$1')),
      priority: rule.priority ?? 0,
      target: target ?? { kind: 'action', action: 'ignore' },
      ...(prompt !== undefined && { prompt }),
      expect,
      cache: rule.cache ?? (rule.workflow === undefined ? 'content' : cacheOfWorkflows),
      maxLoad,
      ...(batch && { batch }),
      ...(budget && { budget }),
      ...(rule.review !== undefined && { review: rule.review }),
      ...(maxInput !== 'unlimited' && { maxInputBytes: parseSize(maxInput) ?? 0 }),
    });
  }
  for (const rule of rulesOfWorkflows(workflows, new Set(names.values())))
    rules.push({ ...rule, index: rules.length + file.length });
  const sorted = rules.toSorted((a, b) => b.priority - a.priority || a.index - b.index);
  for (const { later, earlier } of shadows(sorted)) {
    const { findings } = later.place.context;
    const other = earlier.place.context.findings;
    const line = other.lineOf(earlier.place.at);
    findings.warning(
      'RULE_SHADOWED',
      findings.has([...later.place.at, 'pattern']) ? [...later.place.at, 'pattern'] : later.place.at,
      `rule "${later.name}" never matches: rule "${earlier.name}" (${other === findings ? '' : `${relative(context.projectDir, other.file)}, `}line ${line}) takes its files first`,
      'Remove it, or give it a higher `priority`.',
    );
  }
  return sorted.map(({ index: _, place: _place, ...rule }) => rule);
}

/** @param at Of the key. */
function checkReview(
  { findings }: Resolving,
  rule: Loose<RuleFile>,
  at: Path,
  name: string,
  isReviewed: boolean,
): void {
  if (rule.review !== true || rule.action !== undefined || rule.workflow !== undefined) return;
  if (!isReviewed)
    findings.add(
      'error',
      'CONFLICT',
      { path: at, key: true },
      `\`review\` has no effect in rule "${name}": there is no section \`reviews\``,
      'Add `reviews: { on: [result] }`, or remove it.',
    );
}

/** Work on a batch is judged file by file, and a copy of the tree is put in place as a whole: one of the two cannot be. */
function refuseReviewOfCopies(
  { findings }: Resolving,
  { review }: Loose<RuleFile>,
  at: Path,
  name: string,
  workers: readonly (AgentConfig | undefined)[],
): void {
  const copies = workers.find((agent) => agent?.workspace === 'copy' && (review ?? isCliAgent(agent)));
  if (copies)
    findings.add(
      'error',
      'CONFLICT',
      { path: at, key: true },
      `rule "${name}" makes batches that are reviewed file by file, and agent "${copies.name}" works on a copy of the tree that is put in place as a whole`,
      `Remove \`batch\`, write \`review: false\` into the rule, or let the agent work in the tree itself (\`workspace: in_place\`).`,
    );
}

/** Steps move, mark and ask about *this* file: equal content under another name is other work. */
const cacheOfWorkflows = 'path';

interface PlacedRule extends RuleConfig {
  readonly index: number;
  readonly place: { readonly context: Resolving; readonly at: Path };
}

/** `on.file` of workflows. */
function rulesOfWorkflows({ list }: ResolvedWorkflows, taken: Set<string>): Omit<PlacedRule, 'index'>[] {
  return list.flatMap(({ workflow, context, at }) =>
    workflow.on.file.map(({ patterns, priority }, index) => {
      const base = `workflow ${workflow.name}`;
      let name = base;
      for (let n = 2; taken.has(name); n += 1) name = `${base} (${n})`;
      taken.add(name);
      const here = [...at, 'on', 'file'];
      return {
        name,
        place: { context, at: context.findings.has([...here, index]) ? [...here, index] : here },
        patterns,
        priority,
        target: { kind: 'agent', agent: workflowAgent(workflow.name) },
        expect: { outputs: [] },
        cache: cacheOfWorkflows,
        maxLoad: Number.POSITIVE_INFINITY,
        fromWorkflow: true,
      };
    }),
  );
}

/** A command that names its file in an argument, given many files. */
function warnOfSingleArgument(context: Resolving, agent: AgentConfig | undefined, rule: string): void {
  if (agent?.kind !== 'command') return;
  const at = ['agents', agent.name, 'command'];
  for (const [index, word] of agent.command.entries())
    warnOfSingleFile(
      context,
      context.findings.has([...at, index]) ? [...at, index] : at,
      word,
      rule,
      'Write `${{ files }}` as an argument of its own for the paths of all, or read `$SLUICE_FILES`.',
    );
}

/** Names are the keys of receipts and statistics: given ones must differ, made ones are made to. */
function uniqueNames(
  { findings }: Resolving,
  rules: readonly [number, Loose<RuleFile>][],
): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  const taken = new Map<string, number>();
  for (const [index, { name }] of rules) {
    if (name === undefined) continue;
    if (name.startsWith('workflow:'))
      findings.error(
        'BAD_VALUE',
        ['routing_rules', index, 'name'],
        `"${name}" begins as the names of steps of workflows do in receipts`,
        'Give it another name.',
      );
    const first = taken.get(name);
    if (first !== undefined)
      findings.error(
        'DUPLICATE_NAME',
        ['routing_rules', index, 'name'],
        `the rule name "${name}" is taken (line ${findings.lineOf(['routing_rules', first, 'name'])})`,
        'Give one of the two another name.',
      );
    taken.set(name, first ?? index);
    names.set(index, name);
  }
  for (const [index, { name, pattern }] of rules) {
    if (name !== undefined || pattern === undefined) continue;
    const base = oneLine([pattern].flat().join(', ').slice(0, 180)).replace(/^workflow:/, './$&');
    let made = base;
    for (let n = 2; taken.has(made); n += 1) made = `${base} (${n})`;
    taken.set(made, index);
    names.set(index, made);
  }
  return names;
}

async function resolvePrompt(
  context: Resolving,
  rule: Loose<RuleFile>,
  index: number,
  target: RuleTarget | undefined,
  agents: KnownAgents,
): Promise<string | undefined> {
  const { findings } = context;
  const at = ['routing_rules', index];
  const key = rule.prompt !== undefined ? 'prompt' : 'prompt_file';
  if (rule.prompt === undefined && rule.prompt_file === undefined) return undefined;
  if (rule.prompt !== undefined && rule.prompt_file !== undefined)
    findings.add(
      'error',
      'CONFLICT',
      { path: [...at, 'prompt_file'], key: true },
      `both \`prompt\` (line ${findings.lineOf([...at, 'prompt'])}) and \`prompt_file\` (line ${findings.lineOf([...at, 'prompt_file'])}) are given`,
      'Keep one of the two.',
    );
  const [candidate, ...others] = candidatesOf(target).map((name) => agents.get(name));
  if (candidate?.kind === 'builtin' && others.every((agent) => agent?.kind === 'builtin'))
    findings.add(
      'error',
      'CONFLICT',
      { path: [...at, key], key: true },
      `\`${key}\` has no effect: the builtin agent "${candidate.name}" takes no prompt`,
      `Remove \`${key}\`, or name another agent.`,
    );
  const text =
    rule.prompt ?? (await readNamedFile(context, [...at, 'prompt_file'], rule.prompt_file as string));
  if (text !== undefined) refuseBadPlaceholders(context, [...at, key], text, 'prompt');
  return text;
}

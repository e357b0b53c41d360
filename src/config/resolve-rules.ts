/** `routing_rules` → rules in the order in which they are tried, each with a unique name and a target that exists. */
import { readFile, stat } from 'node:fs/promises';
import { messageOf } from '../types/errors.ts';
import { checkPatterns, shadows } from './check-patterns.ts';
import type { AgentConfig, RuleConfig, RuleTarget } from './config.ts';
import { compileJsonSchema } from './json-schema.ts';
import { resolveBudget, warnOfLoad } from './resolve-limits.ts';
import {
  candidatesOf,
  type KnownAgents,
  resolveBatch,
  resolveTarget,
  warnOfSingleFile,
} from './resolve-target.ts';
import { type Loose, oneLine, projectPath, type Resolving, refuseBadPlaceholders } from './resolving.ts';
import type { ConfigFile, RuleFile } from './schema.ts';
import { parseSize } from './size.ts';

const maxFileBytes = 1024 * 1024;

/** @param limits Of the whole daemon. */
export async function resolveRules(
  context: Resolving,
  file: Loose<ConfigFile['routing_rules']>,
  agents: KnownAgents,
  limits: { readonly maxProcesses: number; readonly maxConcurrentFiles: number },
): Promise<readonly RuleConfig[]> {
  const written = [...file.entries()].filter(
    (entry): entry is [number, Loose<RuleFile>] => entry[1] !== undefined,
  );
  const names = uniqueNames(context, written);
  const rules: (RuleConfig & { readonly index: number })[] = [];
  for (const [index, rule] of written) {
    const at = ['routing_rules', index];
    const patterns = [rule.pattern ?? []].flat().filter((pattern) => pattern !== undefined);
    if (rule.pattern !== undefined) checkPatterns(context.findings, [...at, 'pattern'], rule.pattern);
    const target = resolveTarget(context, rule, at, agents);
    const candidates = candidatesOf(target).map((name) => agents.get(name));
    const name = names.get(index) ?? '';
    const prompt = await resolvePrompt(context, rule, index, target, agents);
    const expect = await resolveExpect(context, rule, index);
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
    const maxInput = rule.max_input ?? 'unlimited';
    rules.push({
      index,
      name,
      // "./" says nothing that a relative pattern does not say.
      patterns: patterns.map((pattern) => pattern.replace(/^(!?)(?:\.\/)+/, '$1')),
      priority: rule.priority ?? 0,
      target: target ?? { kind: 'action', action: 'ignore' },
      ...(prompt !== undefined && { prompt }),
      expect,
      cache: rule.cache ?? 'content',
      maxLoad,
      ...(batch && { batch }),
      ...(budget && { budget }),
      ...(maxInput !== 'unlimited' && { maxInputBytes: parseSize(maxInput) ?? 0 }),
    });
  }
  const sorted = rules.toSorted((a, b) => b.priority - a.priority || a.index - b.index);
  for (const { later, earlier } of shadows(sorted))
    context.findings.warning(
      'RULE_SHADOWED',
      ['routing_rules', later.index, 'pattern'],
      `rule "${later.name}" never matches: rule "${earlier.name}" (line ${context.findings.lineOf(['routing_rules', earlier.index])}) takes its files first`,
      'Remove it, or give it a higher `priority`.',
    );
  return sorted.map(({ index: _, ...rule }) => rule);
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
    const base = oneLine([pattern].flat().join(', ').slice(0, 180));
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
  const text = rule.prompt ?? (await readText(context, [...at, 'prompt_file'], rule.prompt_file as string));
  if (text !== undefined) refuseBadPlaceholders(context, [...at, key], text, 'prompt');
  return text;
}

async function resolveExpect(
  context: Resolving,
  rule: Loose<RuleFile>,
  index: number,
): Promise<RuleConfig['expect']> {
  const outputs = (rule.expect?.outputs ?? []).filter((output) => output !== undefined);
  for (const [position, output] of outputs.entries())
    if (output.startsWith('/') || output.split('/').includes('..'))
      context.findings.error(
        'BAD_VALUE',
        ['routing_rules', index, 'expect', 'outputs', position],
        `"${output}" lies outside of the output folder`,
        'Write a path relative to the output folder of the job, without `..`.',
      );
  const name = rule.expect?.json_schema;
  if (name === undefined) return { outputs };
  const at = ['routing_rules', index, 'expect', 'json_schema'];
  const text = await readText(context, at, name);
  if (text === undefined) return { outputs };
  try {
    const schema: unknown = JSON.parse(text);
    await compileJsonSchema(schema);
    return { outputs, jsonSchema: { file: projectPath(context, name), schema } };
  } catch (error) {
    const what = error instanceof SyntaxError ? 'is no valid JSON' : 'is no usable JSON Schema';
    context.findings.error('BAD_FILE', at, `"${name}" ${what}: ${messageOf(error)}`, `Correct "${name}".`);
    return { outputs };
  }
}

async function readText(
  context: Resolving,
  at: readonly (string | number)[],
  name: string,
): Promise<string | undefined> {
  const file = projectPath(context, name);
  context.files.add(file);
  const refuse = (problem: string, fix: string) =>
    context.findings.error('BAD_FILE', at, `"${name}" ${problem}`, fix);
  const found = await stat(file).catch(() => undefined);
  if (!found)
    refuse('does not exist', `Create "${file}", or correct the path; it is relative to the project folder.`);
  else if (!found.isFile()) refuse('is not a file', 'Name a text file.');
  else if (found.size > maxFileBytes) refuse('is larger than 1 MiB', 'Make it shorter.');
  else {
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
      if (text.trim() === '') refuse('is empty', 'Write something into it, or remove the key.');
      return text;
    } catch (error) {
      refuse(
        error instanceof TypeError ? 'is not UTF-8 text' : `cannot be read: ${messageOf(error)}`,
        'Name a readable text file, saved as UTF-8.',
      );
    }
  }
  return undefined;
}

/** `routing_rules` → rules in the order in which they are tried, each with a unique name and a target that exists. */
import { readFile, stat } from 'node:fs/promises';
import { messageOf } from '../types/errors.ts';
import { checkPatterns, shadows } from './check-patterns.ts';
import type { RuleConfig, RuleTarget } from './config.ts';
import { compileJsonSchema } from './json-schema.ts';
import { type Loose, oneLine, projectPath, type Resolving, refuseBadPlaceholders } from './resolving.ts';
import type { ConfigFile, RuleFile } from './schema.ts';
import { parseSize } from './size.ts';
import { suggest } from './suggest.ts';

const maxFileBytes = 1024 * 1024;

/** @param agents The kind of every agent that the file defines; `undefined` where the definition is broken. */
export async function resolveRules(
  context: Resolving,
  file: Loose<ConfigFile['routing_rules']>,
  agents: ReadonlyMap<string, string | undefined>,
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
    const target = resolveTarget(context, rule, index, agents);
    const prompt = await resolvePrompt(context, rule, index, target, agents);
    const expect = await resolveExpect(context, rule, index);
    const maxInput = rule.max_input ?? 'unlimited';
    rules.push({
      index,
      name: names.get(index) ?? '',
      // "./" says nothing that a relative pattern does not say.
      patterns: patterns.map((pattern) => pattern.replace(/^(!?)(?:\.\/)+/, '$1')),
      priority: rule.priority ?? 0,
      target: target ?? { kind: 'action', action: 'ignore' },
      ...(prompt !== undefined && { prompt }),
      expect,
      cache: rule.cache ?? 'content',
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

function resolveTarget(
  { findings }: Resolving,
  rule: Loose<RuleFile>,
  index: number,
  agents: ReadonlyMap<string, string | undefined>,
): RuleTarget | undefined {
  const at = ['routing_rules', index];
  const label = rule.name ?? [rule.pattern ?? `routing_rules[${index}]`].flat().join(', ');
  const given = (['agent', 'watcher', 'action'] as const).filter((key) => rule[key] !== undefined);
  const [first, second] = given;
  if (first === undefined) {
    // A target that is written and not here any more has been reported.
    if (!['agent', 'watcher', 'action', 'workflow'].some((key) => findings.has([...at, key])))
      findings.add(
        'error',
        'MISSING_KEY',
        { path: at, key: true },
        `rule "${label}" has no target`,
        'Add `agent: NAME`, or `action: quarantine` or `action: ignore`.',
      );
    return undefined;
  }
  if (second !== undefined) {
    findings.add(
      'error',
      'CONFLICT',
      { path: [...at, second], key: true },
      `rule "${label}" has \`${first}\` (line ${findings.lineOf([...at, first])}) and \`${second}\` (line ${findings.lineOf([...at, second])})`,
      first === 'agent' && second === 'watcher'
        ? 'Keep `agent`; `watcher` is another word for it.'
        : 'Keep one of the two.',
    );
    return undefined;
  }
  if (first === 'action') {
    for (const key of ['prompt', 'prompt_file', 'expect', 'cache', 'max_input'] as const)
      if (findings.has([...at, key]))
        findings.add(
          'error',
          'CONFLICT',
          { path: [...at, key], key: true },
          `\`${key}\` has no effect in rule "${label}": it names an action`,
          `Remove \`${key}\`, or name an \`agent\`.`,
        );
    return rule.action && { kind: 'action', action: rule.action };
  }
  const agent = rule[first] as string;
  if (!agents.has(agent)) {
    const known = [...agents.keys()].toSorted();
    findings.error(
      'UNKNOWN_AGENT',
      [...at, first],
      `unknown agent "${agent}" in rule "${label}"`,
      known.length > 0
        ? suggest(agent, known, 'Defined agents')
        : `Define it under \`agents\`: \`${agent}: { kind: builtin }\`.`,
    );
    return undefined;
  }
  return { kind: 'agent', agent };
}

async function resolvePrompt(
  context: Resolving,
  rule: Loose<RuleFile>,
  index: number,
  target: RuleTarget | undefined,
  agents: ReadonlyMap<string, string | undefined>,
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
  if (target?.kind === 'agent' && agents.get(target.agent) === 'builtin')
    findings.add(
      'error',
      'CONFLICT',
      { path: [...at, key], key: true },
      `\`${key}\` has no effect: the builtin agent "${target.agent}" takes no prompt`,
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

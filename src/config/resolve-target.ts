/** What a rule does with a file: one agent, a choice among several, a workflow or an action; and whether its agents can do what it asks. */
import { contextsOf, parseTemplate } from '../expressions/expressions.ts';
import { workflowAgent } from '../types/step-task.ts';
import { type AgentConfig, type BatchConfig, isCliAgent, type RuleTarget } from './config.ts';
import { parseDuration } from './duration.ts';
import type { Loose, Resolving } from './resolving.ts';
import type { RuleFile } from './schema.ts';
import type { Path } from './source.ts';
import { suggest } from './suggest.ts';
import type { WorkflowInput } from './workflow.ts';

/** Every agent that the file defines; `undefined` where the definition is broken. */
export type KnownAgents = ReadonlyMap<string, AgentConfig | undefined>;

/** Workflows by name or alias. `broken`: it is there, but cannot be used, which has been told. */
export interface KnownWorkflows {
  find(
    name: string,
  ): { readonly name: string; readonly inputs: readonly WorkflowInput[] } | 'broken' | undefined;
  readonly names: readonly string[];
}

const targets = ['agent', 'watcher', 'capabilities', 'workflow', 'action'] as const;
/** Keys that only mean something where an agent works. */
const ofAgents = [
  'select',
  'prompt',
  'prompt_file',
  'expect',
  'cache',
  'max_input',
  'max_load',
  'batch',
  'budget',
  'review',
] as const;

/** @param at Path of the rule. */
export function resolveTarget(
  context: Resolving,
  rule: Loose<RuleFile>,
  at: Path,
  agents: KnownAgents,
  workflows: KnownWorkflows,
): RuleTarget | undefined {
  const { findings } = context;
  const label = rule.name ?? [rule.pattern ?? `routing_rules[${at[1]}]`].flat().join(', ');
  const [first, second] = targets.filter((key) => rule[key] !== undefined);
  if (first === undefined) {
    // A target that is written and not here any more has been reported.
    if (!targets.some((key) => findings.has([...at, key])))
      findings.add(
        'error',
        'MISSING_KEY',
        { path: at, key: true },
        `rule "${label}" has no target`,
        'Add `agent: NAME` or `workflow: NAME`, or `action: quarantine` or `action: ignore`.',
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
    for (const key of ofAgents)
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
  if (first === 'workflow') return resolveWorkflowTarget(context, rule, at, label, workflows);
  const owner = `rule "${label}"`;
  const names =
    first === 'capabilities'
      ? capableAgents(context, rule.capabilities ?? [], [...at, 'capabilities'], owner, agents)
      : namedAgents(context, rule[first] ?? [], [...at, first], owner, agents);
  if (names === undefined || names.length === 0) return undefined;
  if (names.length > 1) return { kind: 'select', agents: names, policy: rule.select ?? 'least_loaded' };
  if (rule.select !== undefined)
    findings.add(
      'error',
      'CONFLICT',
      { path: [...at, 'select'], key: true },
      `\`select\` has no effect in rule "${label}": only the agent "${names[0]}" comes into question`,
      'Remove it, or name several agents: `agent: [a, b]`.',
    );
  return { kind: 'agent', agent: names[0] as string };
}

/** The run of a workflow is no attempt of an agent: what an agent is told, or limited by, means nothing to it. */
function resolveWorkflowTarget(
  { findings }: Resolving,
  rule: Loose<RuleFile>,
  at: Path,
  label: string,
  workflows: KnownWorkflows,
): RuleTarget | undefined {
  const reasons = {
    prompt: 'its steps have prompts of their own',
    prompt_file: 'its steps have prompts of their own',
    select: 'it names a workflow; its steps choose agents',
    batch: 'each file is a run of its own',
    budget: 'its steps are paid for by the budgets of their agents',
    review: 'a step of type `review` says whose work is reviewed',
  } as const;
  for (const [key, reason] of Object.entries(reasons))
    if (findings.has([...at, key]))
      findings.add(
        'error',
        'CONFLICT',
        { path: [...at, key], key: true },
        `\`${key}\` has no effect in rule "${label}": ${reason}`,
        `Remove \`${key}\`, or name an \`agent\`.`,
      );
  const found = rule.workflow === undefined ? undefined : workflows.find(rule.workflow);
  if (found === 'broken') return undefined;
  if (found === undefined) {
    reportUnknownWorkflow(
      findings,
      [...at, 'workflow'],
      `unknown workflow "${rule.workflow}" in rule "${label}"`,
      rule.workflow ?? '',
      workflows,
    );
    return undefined;
  }
  for (const { name, required } of found.inputs)
    if (required)
      findings.error(
        'BAD_INPUT',
        [...at, 'workflow'],
        `the workflow "${found.name}" needs the input "${name}", which a file does not give`,
        `Give the input a \`default\` instead of \`required: true\`; the file itself is \`\${{ file.path }}\`.`,
      );
  return { kind: 'agent', agent: workflowAgent(found.name) };
}

export function reportUnknownWorkflow(
  findings: Resolving['findings'],
  at: Path,
  message: string,
  name: string,
  { names }: Pick<KnownWorkflows, 'names'>,
): void {
  findings.error(
    'UNKNOWN_WORKFLOW',
    at,
    message,
    names.length > 0
      ? suggest(name, names, 'Defined workflows')
      : 'Define it in a file in `workflows/`; `sluice workflow new` writes one to start from.',
  );
}

/** @param owner Who names them: `rule "x"`. */
export function namedAgents(
  { findings }: Resolving,
  written: string | readonly (string | undefined)[],
  at: Path,
  owner: string,
  agents: KnownAgents,
): readonly string[] | undefined {
  const names = typeof written === 'string' ? [written] : written;
  const isList = typeof written !== 'string';
  const found = new Set<string>();
  let unknown = false;
  for (const [index, name] of names.entries()) {
    if (name === undefined) continue;
    const place = isList ? [...at, index] : at;
    if (found.has(name))
      findings.error('DUPLICATE_NAME', place, `the agent "${name}" is named twice`, 'Remove one of the two.');
    found.add(name);
    if (agents.has(name)) continue;
    unknown = true;
    reportUnknownAgent(findings, place, `unknown agent "${name}" in ${owner}`, name, agents);
  }
  return unknown ? undefined : [...found];
}

export function reportUnknownAgent(
  findings: Resolving['findings'],
  at: Path,
  message: string,
  name: string,
  agents: KnownAgents,
): void {
  const known = [...agents.keys()].toSorted();
  findings.error(
    'UNKNOWN_AGENT',
    at,
    message,
    known.length > 0
      ? suggest(name, known, 'Defined agents')
      : `Define it under \`agents\`: \`${name}: { kind: builtin }\`.`,
  );
}

/** The agents that have all of these, in the order of the file. */
export function capableAgents(
  { findings }: Resolving,
  wanted: readonly (string | undefined)[],
  at: Path,
  owner: string,
  agents: KnownAgents,
): readonly string[] {
  const capabilities = wanted.filter((capability) => capability !== undefined);
  const found = [...agents.values()].filter(
    (agent) => agent && capabilities.every((capability) => agent.capabilities.includes(capability)),
  );
  // What a broken definition can do is not known.
  if (found.length > 0 || [...agents.values()].includes(undefined))
    return found.flatMap((agent) => (agent ? [agent.name] : []));
  const known = [...new Set([...agents.values()].flatMap((agent) => agent?.capabilities ?? []))].toSorted();
  const unknown = capabilities.filter((capability) => !known.includes(capability));
  for (const capability of unknown)
    findings.error(
      'UNKNOWN_CAPABILITY',
      [...at, wanted.indexOf(capability)],
      `no agent has the capability "${capability}" of ${owner}`,
      known.length > 0
        ? suggest(capability, known, 'Capabilities')
        : `Add it to an agent: \`capabilities: [${capability}]\`.`,
    );
  if (unknown.length === 0)
    findings.error(
      'UNKNOWN_CAPABILITY',
      at,
      `no agent has all of these capabilities of ${owner}: ${capabilities.join(', ')}`,
      `Add what is missing to an agent, or ask for less.${nearestAgent(capabilities, agents)}`,
    );
  return [];
}

function nearestAgent(capabilities: readonly string[], agents: KnownAgents): string {
  const missing = [...agents.values()]
    .flatMap((agent) =>
      agent
        ? [{ name: agent.name, lacks: capabilities.filter((one) => !agent.capabilities.includes(one)) }]
        : [],
    )
    .toSorted((a, b) => a.lacks.length - b.lacks.length)[0];
  return missing ? ` The agent "${missing.name}" lacks ${missing.lacks.join(', ')}.` : '';
}

/** Names of the agents that a file of this rule can begin with. */
export function candidatesOf(target: RuleTarget | undefined): readonly string[] {
  if (target?.kind === 'agent') return [target.agent];
  return target?.kind === 'select' ? target.agents : [];
}

/** Names of all agents that can get a file of this rule: also by way of a fallback. */
export function workersOf(target: RuleTarget | undefined, agents: KnownAgents): readonly string[] {
  const names = new Set(candidatesOf(target));
  for (const name of names) for (const next of agents.get(name)?.fallback ?? []) names.add(next);
  return [...names];
}

/** Many files for one attempt: a service gets one at a time. */
export function resolveBatch(
  { findings }: Resolving,
  batch: Loose<NonNullable<RuleFile['batch']>> | undefined,
  at: Path,
  candidates: readonly (AgentConfig | undefined)[],
  maxConcurrentFiles: number,
): BatchConfig | undefined {
  if (batch === undefined) return undefined;
  for (const agent of candidates)
    if (agent && agent.kind !== 'command' && !isCliAgent(agent)) {
      findings.add(
        'error',
        'CONFLICT',
        { path: at, key: true },
        `\`batch\` has no effect: the ${agent.kind} agent "${agent.name}" gets one file at a time`,
        'Remove `batch`, or name an agent that starts a program.',
      );
      break;
    }
  const by = batch.by ?? 'files';
  if (by === 'folder' && findings.has([...at, 'max_files']))
    findings.add(
      'error',
      'CONFLICT',
      { path: [...at, 'max_files'], key: true },
      '`max_files` has no effect: with `by: folder` a batch is a folder, whatever its number of files',
      'Remove it, or write `by: files`.',
    );
  const wanted = batch.max_files ?? 'auto';
  const cut = typeof wanted === 'number' && by === 'files' && wanted > maxConcurrentFiles;
  if (cut && findings.has([...at, 'max_files']))
    findings.warning(
      'LIMIT_UNREACHED',
      [...at, 'max_files'],
      `a batch gets at most ${maxConcurrentFiles} files: so many are in work at once (\`concurrency_limits.max_concurrent_files\`)`,
      `Write \`max_files: ${maxConcurrentFiles}\`, or allow more files at once.`,
    );
  return {
    maxFiles: cut ? maxConcurrentFiles : wanted,
    quietMs: parseDuration(batch.quiet ?? '') ?? 0,
    onFailure: batch.on_failure ?? 'bisect',
    by,
  };
}

/** A text that names one file, where an attempt gets many. */
export function warnOfSingleFile(
  { findings }: Resolving,
  at: Path,
  text: string,
  rule: string,
  fix: string,
): void {
  const single = singleFile(text);
  if (single !== undefined)
    findings.warning(
      'BATCH_SINGLE_FILE',
      at,
      `\`\${{ ${single} }}\` is that of the first file only: rule "${rule}" makes batches`,
      fix,
    );
}

/** What it reads of the one file: its root is that of all. A text with errors is told of elsewhere. */
function singleFile(text: string): string | undefined {
  try {
    const read = contextsOf(parseTemplate(text));
    const found = read.find(({ context, path }) => context === 'file' && path[0] !== 'root');
    return found && ['file', ...found.path].join('.');
  } catch {
    return undefined;
  }
}

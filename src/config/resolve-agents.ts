/** `agents` and `watcher_endpoints` → agents by name, each of one kind, with everything an attempt needs to know. */
import { cliCapabilities } from './capabilities.ts';
import { checkUrl } from './check-url.ts';
import { type AgentConfig, type BudgetConfig, cliKinds, type EnvEntry, type RateConfig } from './config.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { parseRate } from './rate.ts';
import { resolveCapabilities } from './resolve-capabilities.ts';
import { resolveCli } from './resolve-cli-agent.ts';
import { resolveCommand, warnUnlessFound } from './resolve-command.ts';
import { resolveBreaker, resolveBudget, resolveLimits } from './resolve-limits.ts';
import { nothingToConfine, resolveSandbox } from './resolve-sandbox.ts';
import { checkReferences, type Loose, type Resolving } from './resolving.ts';
import type { AgentFile, AgentsFile, ConfigFile } from './schema.ts';
import type { CommandAgentFile } from './schema-agents.ts';
import { agentDefaults, sandboxDefaults } from './shape.ts';
import { parseSize } from './size.ts';
import type { Path } from './source.ts';
import { parseTokens } from './tokens.ts';

type CommonConfig = Omit<Extract<AgentConfig, { kind: 'builtin' }>, 'kind'>;

/** @param quietMs Reviews look at work that tells nothing for so long. */
export async function resolveAgents(
  context: Resolving,
  agents: Loose<AgentsFile>,
  endpoints: Loose<ConfigFile['watcher_endpoints']>,
  quietMs?: number,
): Promise<readonly AgentConfig[]> {
  const resolved: AgentConfig[] = [];
  for (const [name, agent] of Object.entries(agents)) {
    if (agent === undefined) continue;
    const found = await resolveAgent(context, name, agent, quietMs);
    if (found) resolved.push(found);
  }
  for (const [name, url] of Object.entries(endpoints)) {
    if (url === undefined) continue;
    const at = ['watcher_endpoints', name];
    if (context.findings.has(['agents', name])) {
      context.findings.add(
        'error',
        'DUPLICATE_NAME',
        { path: at, key: true },
        `the agent "${name}" is defined twice (also in line ${context.findings.lineOf(['agents', name])})`,
        'Remove one of the two.',
      );
      continue;
    }
    await checkUrl(context, at, url);
    const common = await resolveCommon(context, name, agentDefaults({ kind: 'http', url }));
    resolved.push({ ...common, kind: 'http', url, headers: {} });
  }
  return resolved;
}

async function resolveAgent(
  context: Resolving,
  name: string,
  agent: Loose<AgentFile>,
  quietMs: number | undefined,
): Promise<AgentConfig | undefined> {
  const at = ['agents', name];
  const common = await resolveCommon(context, name, agent);
  switch (agent.kind) {
    case 'builtin':
      return { ...common, kind: 'builtin' };
    case 'http': {
      if (agent.url !== undefined) await checkUrl(context, [...at, 'url'], agent.url);
      const headers = await resolveHeaders(context, [...at, 'headers'], agent.headers);
      return { ...common, kind: 'http', url: agent.url ?? '', headers };
    }
    case 'command': {
      const command =
        agent.command === undefined ? [] : resolveCommand(context, [...at, 'command'], agent.command);
      if (command.length > 0)
        await warnUnlessFound(context, [...at, 'command'], command[0] as string, common.env);
      return { ...common, kind: 'command', command };
    }
    case 'claude':
    case 'codex':
    case 'gemini':
    case 'opencode':
    case 'copilot':
    case 'plugin': {
      const cli = await resolveCli(context, at, agent, common.env);
      return {
        ...common,
        ...idleOfCli(context, at, common.idleTimeoutMs, quietMs),
        ...{ kind: agent.kind, cli },
      };
    }
    default:
      return undefined;
  }
}

/** An agent CLI of which nothing is said can do what its like can. */
function capabilitiesOf(
  { findings }: Resolving,
  at: Path,
  { kind, capabilities }: Loose<AgentFile>,
): Loose<AgentFile>['capabilities'] {
  if (findings.has([...at, 'capabilities']) || (capabilities?.length ?? 0) > 0) return capabilities;
  return cliCapabilities[kind as keyof typeof cliCapabilities] ?? capabilities;
}

/** @param agent With the defaults of its kind; keys that other kinds do not have are absent. */
async function resolveCommon(
  context: Resolving,
  name: string,
  agent: Loose<AgentFile>,
): Promise<CommonConfig> {
  const at = ['agents', name];
  const { findings } = context;
  const {
    idle_timeout: idle = 'off',
    rate,
    budget,
    max_repeats: maxRepeats,
    workspace,
    limits,
    sandbox,
    env,
    load,
    tokens_per_task: tokens,
  } = agent as Partial<Loose<CommandAgentFile>>;
  const isCli = (cliKinds as readonly string[]).includes(agent.kind ?? '');
  const retry = {
    attempts: agent.retry?.attempts ?? 0,
    initialMs: parseDuration(agent.retry?.initial ?? '') ?? 0,
    maxMs: parseDuration(agent.retry?.max ?? '') ?? 0,
  };
  if (retry.maxMs < retry.initialMs && agent.retry?.initial !== undefined && agent.retry.max !== undefined)
    findings.error(
      'CONFLICT',
      [...at, 'retry', findings.has([...at, 'retry', 'max']) ? 'max' : 'initial'],
      `the longest pause (${agent.retry.max}) is shorter than the first (${agent.retry.initial})`,
      'Make `max` at least as long as `initial`.',
    );
  const timeoutMs = parseDuration(agent.timeout ?? '') ?? 0;
  const bounds = resolveBudget(context, [...at, 'budget'], budget) ?? (isCli ? budgetOfCli : undefined);
  if (agent.kind === 'http' && sandbox && sandbox.mode !== 'off' && sandbox.reason === undefined)
    findings.add(
      'error',
      'CONFLICT',
      { path: [...at, 'sandbox'], key: true },
      '`sandbox` has no effect: an http agent starts no program',
      'Remove it, or write `sandbox: { mode: off, reason: … }`.',
    );
  const tokensPerTask = parseTokens(tokens ?? '');
  const breaker = resolveBreaker(agent.circuit_breaker);
  const texts = (list: readonly (string | undefined)[] = []) => list.filter((item) => item !== undefined);
  return {
    name,
    ...(agent.description !== undefined && { description: agent.description }),
    ...(agent.type !== undefined && { type: agent.type }),
    ...resolveCapabilities(context, [...at, 'capabilities'], capabilitiesOf(context, at, agent)),
    ...(load !== undefined && { load }),
    ...(tokensPerTask !== undefined && { tokensPerTask }),
    priority: agent.priority ?? 0,
    fallback: texts(agent.fallback),
    maxLoad: typeof agent.max_load === 'number' ? agent.max_load : Number.POSITIVE_INFINITY,
    ...(rate !== undefined && { rate: parseRate(rate) as RateConfig }),
    ...(bounds && { budget: bounds }),
    ...(breaker && { breaker }),
    limits: resolveLimits(context, at, isCli ? withRuntime(context, at, limits) : limits, timeoutMs),
    maxRepeats: typeof maxRepeats === 'number' ? maxRepeats : Number.POSITIVE_INFINITY,
    workspace: workspace ?? 'in_place',
    timeoutMs,
    ...(idle !== 'off' && { idleTimeoutMs: parseDuration(idle) ?? 0 }),
    retry,
    maxOutputBytes: parseSize(agent.limits?.output ?? '') ?? 0,
    env: await resolveEnv(context, [...at, 'env'], env),
    sandbox:
      agent.kind === 'command' || sandbox !== undefined
        ? await resolveSandbox(
            context,
            [...at, 'sandbox'],
            sandbox ?? sandboxDefaults(),
            isCli ? 'required' : 'auto',
          )
        : nothingToConfine,
  };
}

/** What is spent is a bill that comes later; that a CLI does not say what it costs is normal. */
const budgetOfCli: BudgetConfig = { usdPerDay: 20, unknownCost: 'allow' };

/** Who says how long one attempt may take has said it; otherwise an hour that led nowhere is not paid for again. */
function withRuntime({ findings }: Resolving, at: Path, limits: Loose<CommandAgentFile['limits']> = {}) {
  return limits.runtime === undefined && !findings.has([...at, 'timeout'])
    ? { ...limits, runtime: '1h' }
    : limits;
}

/** Others look at silent work before it is ended for its silence. */
function idleOfCli(
  { findings }: Resolving,
  at: Path,
  idleMs: number | undefined,
  quietMs: number | undefined,
): { readonly idleTimeoutMs?: number } {
  if (idleMs === undefined || quietMs === undefined || idleMs > quietMs) return {};
  const place = [...at, 'idle_timeout'];
  if (!findings.has(place)) return { idleTimeoutMs: quietMs + 300_000 };
  findings.warning(
    'LIMIT_UNREACHED',
    place,
    `an attempt that tells nothing is ended before others look at it (\`reviews.quiet_trigger\`, ${formatDuration(quietMs)})`,
    `Write \`idle_timeout: ${formatDuration(quietMs + 300_000)}\`, or make \`quiet_trigger\` shorter.`,
  );
  return {};
}

/** @param at Of `headers`. */
export async function resolveHeaders(
  context: Resolving,
  at: Path,
  written: Readonly<Record<string, string | undefined>> = {},
): Promise<Readonly<Record<string, string>>> {
  const headers: [string, string][] = [];
  for (const [header, value] of Object.entries(written)) {
    if (value === undefined) continue;
    await checkReferences(context, [...at, header], value);
    if (/[\r\n\0]/.test(value))
      context.findings.error(
        'BAD_VALUE',
        [...at, header],
        `the header "${header}" holds a line break`,
        'Write its value on one line.',
      );
    headers.push([header, value]);
  }
  return Object.fromEntries(headers);
}

/** @param at Of `env`. */
export async function resolveEnv(
  context: Resolving,
  at: Path,
  env: Loose<readonly string[] | Readonly<Record<string, string>>> = [],
): Promise<readonly EnvEntry[]> {
  const entries: EnvEntry[] = [];
  const reserved = (name: string, place: { path: Path; key?: boolean }) => {
    if (name.startsWith('SLUICE_'))
      context.findings.add(
        'error',
        'BAD_VALUE',
        place,
        `the variable "${name}" is set by Sluice itself`,
        'Use a name that does not start with `SLUICE_`.',
      );
  };
  if (Array.isArray(env)) {
    for (const [index, name] of (env as readonly (string | undefined)[]).entries()) {
      if (name === undefined) continue;
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
        context.findings.error(
          'BAD_VALUE',
          [...at, index],
          `${JSON.stringify(name)} is no name of an environment variable`,
          name.includes('=')
            ? `Write a mapping to set values: \`env: { ${name.split('=')[0]}: … }\`.`
            : 'Use letters, digits and `_`.',
        );
      reserved(name, { path: [...at, index] });
      entries.push({ kind: 'pass', name });
    }
    return entries;
  }
  for (const [name, value] of Object.entries(env as Record<string, string | undefined>)) {
    if (value === undefined) continue;
    reserved(name, { path: [...at, name], key: true });
    await checkReferences(context, [...at, name], value);
    if (value.includes('\0'))
      context.findings.error(
        'BAD_VALUE',
        [...at, name],
        `the value of "${name}" holds a NUL character`,
        'Remove it: the environment cannot carry it.',
      );
    entries.push({ kind: 'set', name, value });
  }
  return entries;
}

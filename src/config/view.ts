/**
 * The configuration as a file would write it, with every default filled in: what `sluice config show` prints, what the
 * audit compares. It loads again and gives the same configuration. References to secrets stay references.
 */
import { relative } from 'node:path';
import { workflowAgent } from '../types/step-task.ts';
import {
  type AgentConfig,
  type AlertConfig,
  type BatchConfig,
  type BudgetConfig,
  type CliSettings,
  type Config,
  type EnvEntry,
  isOwnAgent,
  type PriceConfig,
  type ReviewsConfig,
  type RootConfig,
  type RuleConfig,
  type RuleTarget,
  type SandboxConfig,
  type ThresholdsConfig,
} from './config.ts';
import { formatDate } from './dates.ts';
import { formatDuration } from './duration.ts';
import { formatPercent } from './percent.ts';
import { formatSize } from './size.ts';
import { joinCommand } from './split-command.ts';
import { formatTokens } from './tokens.ts';
import { viewSchedule, viewTerms, viewWorkflow } from './view-workflow.ts';
import type { WorkflowConfig } from './workflow.ts';

/** One workflow as a file would write it, with every default filled in. */
export function workflowView({ projectDir }: Pick<Config, 'projectDir'>, workflow: WorkflowConfig) {
  return viewWorkflow(workflow, {
    env: viewEnv,
    expect: (expect) => viewExpect(expect, projectDir),
    sandbox: (sandbox) => viewSandbox(sandbox, projectDir),
  });
}

export function configView(config: Config) {
  const { concurrency, output, cache, daemon, projectDir } = config;
  return {
    version: 1,
    watch: config.roots.map((root) => viewRoot(root, projectDir)),
    routing_rules: config.rules
      .filter(({ fromWorkflow }) => fromWorkflow !== true)
      .map((rule) => viewRule(rule, projectDir)),
    agents: Object.fromEntries(
      [...config.agents.values()]
        .filter(({ name }) => !isOwnAgent(name))
        .map((agent) => [agent.name, viewAgent(agent, projectDir)]),
    ),
    workflows: config.workflows.map((workflow) => workflowView(config, workflow)),
    schedules: config.schedules.filter(({ fromWorkflow }) => fromWorkflow !== true).map(viewSchedule),
    concurrency_limits: {
      max_processes: concurrency.maxProcesses,
      max_concurrent_files: concurrency.maxConcurrentFiles,
    },
    ...(config.budget && { budget: viewBudget(config.budget) }),
    ...(config.prices.length > 0 && { prices: config.prices.map(viewPrice) }),
    ...(config.reviews && { reviews: viewReviews(config.reviews) }),
    alerts: config.alerts.map(viewAlert),
    thresholds: viewThresholds(config.thresholds),
    output_settings: {
      default_output_dir: shortPath(output.dir, projectDir),
      preserve_original: output.preserveOriginal,
      log_level: output.logLevel.toUpperCase(),
      retention: formatDuration(output.retentionMs),
      retention_jobs: countOr('unlimited', output.retentionJobs),
      file_mode: output.fileMode.toString(8).padStart(4, '0'),
    },
    cache: { ttl: formatDuration(cache.ttlMs), max_bytes: formatSize(cache.maxBytes) },
    daemon: {
      drain: formatDuration(daemon.drainMs),
      min_free_disk: formatSize(daemon.minFreeDiskBytes),
      max_depth: daemon.maxDepth,
      max_log_bytes: formatSize(daemon.maxLogBytes),
    },
  };
}

function viewRoot(root: RootConfig, projectDir: string) {
  return {
    path: shortPath(root.dir, projectDir),
    name: root.name,
    ignore: root.ignore,
    default_ignore: root.defaultIgnore.length === 0 ? false : root.defaultIgnore,
    mode: root.mode,
    settle: root.settle.kind === 'auto' ? 'auto' : formatDuration(root.settle.quietMs),
    ...(root.ready !== undefined && { ready: root.ready }),
    sweep: formatDuration(root.sweepMs),
    initial: root.initial,
    on_change: root.onChange,
    on: [...root.on],
  };
}

function viewRule(rule: RuleConfig, projectDir: string) {
  const { target, expect } = rule;
  const common = { name: rule.name, pattern: rule.patterns, priority: rule.priority };
  if (target.kind === 'action') return { ...common, action: target.action };
  return {
    ...common,
    ...viewTarget(target),
    ...(rule.prompt !== undefined && { prompt: rule.prompt }),
    expect: viewExpect(expect, projectDir),
    cache: rule.cache,
    max_input: rule.maxInputBytes === undefined ? 'unlimited' : formatSize(rule.maxInputBytes),
    max_load: countOr('unlimited', rule.maxLoad),
    ...(rule.batch && { batch: viewBatch(rule.batch) }),
    ...(rule.budget && { budget: viewBudget(rule.budget) }),
    ...(rule.review !== undefined && { review: rule.review }),
  };
}

function viewTarget(target: Exclude<RuleTarget, { kind: 'action' }>) {
  if (target.kind === 'select') return { agent: target.agents, select: target.policy };
  const { agent } = target;
  return isOwnAgent(agent) ? { workflow: agent.slice(workflowAgent('').length) } : { agent };
}

function viewExpect({ outputs, jsonSchema }: RuleConfig['expect'], projectDir: string) {
  return { outputs, ...(jsonSchema && { json_schema: shortPath(jsonSchema.file, projectDir) }) };
}

function viewAgent(agent: AgentConfig, projectDir: string) {
  const { breaker } = agent;
  const common = {
    ...(agent.description !== undefined && { description: agent.description }),
    ...(agent.type !== undefined && { type: agent.type }),
    capabilities: viewCapabilities(agent),
    priority: agent.priority,
    max_load: countOr('unlimited', agent.maxLoad),
    fallback: agent.fallback,
    timeout: formatDuration(agent.timeoutMs),
    retry: {
      attempts: agent.retry.attempts,
      initial: formatDuration(agent.retry.initialMs),
      max: formatDuration(agent.retry.maxMs),
    },
    circuit_breaker: breaker
      ? {
          error_rate: breaker.errorRate,
          minimum: breaker.minimum,
          window: formatDuration(breaker.windowMs),
          slow: breaker.slowMs === undefined ? 'off' : formatDuration(breaker.slowMs),
          reset: formatDuration(breaker.resetMs),
        }
      : 'off',
    limits: viewLimits(agent),
  };
  const outside = {
    ...(agent.load !== undefined && { load: agent.load }),
    ...(agent.tokensPerTask !== undefined && { tokens_per_task: formatTokens(agent.tokensPerTask) }),
    idle_timeout: agent.idleTimeoutMs === undefined ? 'off' : formatDuration(agent.idleTimeoutMs),
    ...(agent.rate && { rate: agent.rate.text }),
    ...(agent.budget && { budget: viewBudget(agent.budget) }),
  };
  switch (agent.kind) {
    case 'command':
      return {
        kind: agent.kind,
        command: agent.command,
        ...common,
        ...outside,
        ...viewProcess(agent, projectDir),
      };
    case 'http':
      return {
        kind: agent.kind,
        url: agent.url,
        headers: agent.headers,
        ...common,
        ...outside,
        ...(agent.sandbox.mode === 'off' && { sandbox: agent.sandbox }),
      };
    case 'builtin':
    case 'workflow':
      return { kind: agent.kind, ...common };
    case 'claude':
    case 'codex':
    case 'gemini':
    case 'opencode':
    case 'copilot':
    case 'plugin':
      return {
        kind: agent.kind,
        ...viewCli(agent.cli, projectDir),
        ...common,
        ...outside,
        ...viewProcess(agent, projectDir),
      };
    default:
      return agent satisfies never;
  }
}

function viewCli(cli: CliSettings, projectDir: string) {
  const { mode, ceiling, directories } = cli.permissions;
  return {
    ...(cli.plugin && { plugin: cli.plugin.package, options: cli.plugin.options }),
    ...(cli.program !== undefined && { program: cli.program }),
    ...(cli.model !== undefined && { model: cli.model }),
    ...(cli.effort !== undefined && { effort: cli.effort }),
    ...(cli.maxTurns !== undefined && { max_turns: cli.maxTurns }),
    tools: cli.tools,
    permissions: { mode, ceiling, directories: directories.map((path) => shortPath(path, projectDir)) },
    on_quota: cli.onQuota,
  };
}

/** Of what starts programs. */
function viewProcess(agent: AgentConfig, projectDir: string) {
  return {
    max_repeats: countOr('off', agent.maxRepeats),
    workspace: agent.workspace,
    sandbox: viewSandbox(agent.sandbox, projectDir),
    env: viewEnv(agent),
  };
}

function viewCapabilities({ capabilities, capabilityDetails = [] }: AgentConfig) {
  return capabilities.map((name) => capabilityDetails.find((detail) => detail.name === name) ?? name);
}

function viewLimits({ kind, limits, maxOutputBytes }: AgentConfig) {
  const output = formatSize(maxOutputBytes);
  if (kind === 'http' || kind === 'builtin' || kind === 'workflow') return { output };
  return {
    ...(limits.cpuPercent !== undefined && { cpu: formatPercent(limits.cpuPercent) }),
    ...(limits.memoryBytes !== undefined && { memory: formatSize(limits.memoryBytes) }),
    ...(limits.runtimeMs !== undefined && { runtime: formatDuration(limits.runtimeMs) }),
    output,
    required: limits.required,
  };
}

function viewSandbox(sandbox: SandboxConfig, projectDir: string) {
  if (sandbox.mode === 'off') return sandbox;
  const { mode, network } = sandbox;
  return {
    mode,
    write: sandbox.write.map((path) => (path.startsWith('/') ? shortPath(path, projectDir) : path)),
    network,
    blocked: sandbox.blocked.map(joinCommand),
    confirm: sandbox.confirm.map(joinCommand),
  };
}

function viewBudget(budget: BudgetConfig) {
  const { usdPerRun, usdPerDay, tokensPerRun, tokensPerDay, unknownCost } = budget;
  return {
    ...(usdPerRun !== undefined && { usd_per_run: usdPerRun }),
    ...(usdPerDay !== undefined && { usd_per_day: usdPerDay }),
    ...(tokensPerRun !== undefined && { tokens_per_run: formatTokens(tokensPerRun) }),
    ...(tokensPerDay !== undefined && { tokens_per_day: formatTokens(tokensPerDay) }),
    unknown_cost: unknownCost,
  };
}

function viewBatch({ maxFiles, quietMs, onFailure, by }: BatchConfig) {
  return {
    ...(by === 'files' && { max_files: maxFiles }),
    quiet: formatDuration(quietMs),
    on_failure: onFailure,
    by,
  };
}

function viewAlert({ on, webhook, format, minIntervalMs }: AlertConfig) {
  return { on, webhook, format, min_interval: formatDuration(minIntervalMs) };
}

function viewPrice({ model, from, input, cacheRead, cacheWrite, output }: PriceConfig) {
  return {
    model,
    ...(from !== 0 && { from: formatDate(from) }),
    ...{ input, cache_read: cacheRead, cache_write: cacheWrite, output },
  };
}

function viewReviews(reviews: ReviewsConfig) {
  return {
    on: [...reviews.on],
    ...viewTerms(reviews),
    ...(reviews.on.has('quiet') && { quiet_trigger: formatDuration(reviews.quietMs) }),
  };
}

function viewThresholds(thresholds: ThresholdsConfig) {
  return {
    error_rate: thresholds.errorRate,
    minimum: thresholds.minimum,
    window: formatDuration(thresholds.windowMs),
    delay: formatDuration(thresholds.delayMs),
    free_memory: formatPercent(thresholds.freeMemory * 100),
  };
}

function countOr<W extends string>(word: W, count: number): number | W {
  return Number.isFinite(count) ? count : word;
}

function viewEnv({
  env,
}: {
  readonly env: readonly EnvEntry[];
}): readonly string[] | Readonly<Record<string, string>> {
  const set = env.flatMap((entry) => (entry.kind === 'set' ? [[entry.name, entry.value] as const] : []));
  return set.length > 0 ? Object.fromEntries(set) : env.map((entry) => entry.name);
}

/** `./inbox` below the project folder, absolute elsewhere. */
function shortPath(path: string, projectDir: string): string {
  const way = relative(projectDir, path);
  if (way === '') return '.';
  return way === '..' || way.startsWith('../') ? path : `./${way}`;
}

/**
 * The configuration as a file would write it, with every default filled in: what `sluice config show` prints, what the
 * audit compares. It loads again and gives the same configuration. References to secrets stay references.
 */
import { relative } from 'node:path';
import type { AgentConfig, Config, RootConfig, RuleConfig } from './config.ts';
import { formatDuration } from './duration.ts';
import { formatSize } from './size.ts';

export function configView(config: Config) {
  const { concurrency, output, cache, daemon, projectDir } = config;
  return {
    version: 1,
    watch: config.roots.map((root) => viewRoot(root, projectDir)),
    routing_rules: config.rules.map((rule) => viewRule(rule, projectDir)),
    agents: Object.fromEntries([...config.agents.values()].map((agent) => [agent.name, viewAgent(agent)])),
    concurrency_limits: {
      max_processes: concurrency.maxProcesses,
      max_concurrent_files: concurrency.maxConcurrentFiles,
    },
    output_settings: {
      default_output_dir: shortPath(output.dir, projectDir),
      preserve_original: output.preserveOriginal,
      log_level: output.logLevel.toUpperCase(),
      retention: formatDuration(output.retentionMs),
      file_mode: output.fileMode.toString(8).padStart(4, '0'),
    },
    cache: { ttl: formatDuration(cache.ttlMs), max_bytes: formatSize(cache.maxBytes) },
    daemon: { drain: formatDuration(daemon.drainMs), min_free_disk: formatSize(daemon.minFreeDiskBytes) },
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
    agent: target.agent,
    ...(rule.prompt !== undefined && { prompt: rule.prompt }),
    expect: {
      outputs: expect.outputs,
      ...(expect.jsonSchema && { json_schema: shortPath(expect.jsonSchema.file, projectDir) }),
    },
    cache: rule.cache,
    max_input: rule.maxInputBytes === undefined ? 'unlimited' : formatSize(rule.maxInputBytes),
  };
}

function viewAgent(agent: AgentConfig) {
  const common = {
    ...(agent.description !== undefined && { description: agent.description }),
    max_load: Number.isFinite(agent.maxLoad) ? agent.maxLoad : 'unlimited',
    timeout: formatDuration(agent.timeoutMs),
    retry: {
      attempts: agent.retry.attempts,
      initial: formatDuration(agent.retry.initialMs),
      max: formatDuration(agent.retry.maxMs),
    },
    limits: { output: formatSize(agent.maxOutputBytes) },
  };
  const outside = {
    idle_timeout: agent.idleTimeoutMs === undefined ? 'off' : formatDuration(agent.idleTimeoutMs),
    ...(agent.sandbox.mode === 'off' && { sandbox: agent.sandbox }),
  };
  switch (agent.kind) {
    case 'command':
      return { kind: agent.kind, command: agent.command, ...common, ...outside, env: viewEnv(agent) };
    case 'http':
      return { kind: agent.kind, url: agent.url, headers: agent.headers, ...common, ...outside };
    case 'builtin':
      return { kind: agent.kind, ...common };
    default:
      return agent satisfies never;
  }
}

function viewEnv({ env }: AgentConfig): readonly string[] | Readonly<Record<string, string>> {
  const set = env.flatMap((entry) => (entry.kind === 'set' ? [[entry.name, entry.value] as const] : []));
  return set.length > 0 ? Object.fromEntries(set) : env.map((entry) => entry.name);
}

/** `./inbox` below the project folder, absolute elsewhere. */
function shortPath(path: string, projectDir: string): string {
  const way = relative(projectDir, path);
  if (way === '') return '.';
  return way === '..' || way.startsWith('../') ? path : `./${way}`;
}

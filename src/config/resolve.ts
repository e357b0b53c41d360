/** The checked data of a file → `Config`. Everything that can be wrong with it is found, not only the first thing. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Config, LogLevel } from './config.ts';
import { parseDuration } from './duration.ts';
import { deepFreeze, frozenMap } from './freeze.ts';
import { resolveAgents } from './resolve-agents.ts';
import { resolveRoots } from './resolve-roots.ts';
import { resolveRules } from './resolve-rules.ts';
import { type Loose, projectPath, type Resolving, refuseReferences } from './resolving.ts';
import type { ConfigFile } from './schema.ts';
import { parseSize } from './size.ts';

/**
 * @param data Defaults filled in, invalid parts taken out.
 * @param defined The names of all agents in the file, also of those whose definition was taken out.
 * @returns A frozen configuration; without meaning when `context.findings` has errors.
 */
export async function resolveConfig(
  context: Resolving,
  file: string,
  data: Loose<ConfigFile>,
  defined: readonly string[],
): Promise<Config> {
  const { projectDir, findings } = context;
  const stateDir = join(projectDir, '.sluice');
  const output = data.output_settings ?? {};
  const outputDir = projectPath(context, output.default_output_dir ?? './processed');
  refuseReferences(context, ['output_settings', 'default_output_dir'], output.default_output_dir ?? '');
  if (outputDir === stateDir || outputDir.startsWith(`${stateDir}/`))
    findings.error(
      'CONFLICT',
      ['output_settings', 'default_output_dir'],
      'the output folder lies in the state folder',
      'Choose a folder outside of `.sluice`.',
    );

  const agents = await resolveAgents(context, data.agents ?? {}, data.watcher_endpoints ?? {});
  const kinds = new Map<string, string | undefined>(defined.map((name) => [name, undefined]));
  for (const agent of agents) kinds.set(agent.name, agent.kind);
  const rules = await resolveRules(context, data.routing_rules ?? [], kinds);
  const roots = await resolveRoots(context, data.watch ?? [], { outputDir, stateDir });

  const used = new Set((data.routing_rules ?? []).flatMap((rule) => [rule?.agent, rule?.watcher]));
  for (const { name } of agents)
    if (!used.has(name))
      findings.add(
        'warning',
        'AGENT_UNUSED',
        { path: [findings.has(['agents', name]) ? 'agents' : 'watcher_endpoints', name], key: true },
        `no rule uses the agent "${name}"`,
        `Add a rule with \`agent: ${name}\`, or remove it.`,
      );

  const maxProcesses = data.concurrency_limits?.max_processes ?? availableParallelism();
  return deepFreeze<Config>({
    file,
    projectDir,
    stateDir,
    roots,
    rules,
    agents: frozenMap(agents.map((agent) => [agent.name, agent])),
    concurrency: {
      maxProcesses,
      maxConcurrentFiles: data.concurrency_limits?.max_concurrent_files ?? maxProcesses * 2,
    },
    output: {
      dir: outputDir,
      preserveOriginal: output.preserve_original ?? true,
      logLevel: (output.log_level ?? 'info').toLowerCase() as LogLevel,
      retentionMs: parseDuration(output.retention ?? '') ?? 0,
      fileMode: Number.parseInt(output.file_mode ?? '0', 8),
    },
    cache: {
      ttlMs: parseDuration(data.cache?.ttl ?? '') ?? 0,
      maxBytes: parseSize(data.cache?.max_bytes ?? '') ?? 0,
    },
    daemon: {
      drainMs: parseDuration(data.daemon?.drain ?? '') ?? 0,
      minFreeDiskBytes: parseSize(data.daemon?.min_free_disk ?? '') ?? 0,
    },
  });
}

/** The checked data of a file → `Config`. Everything that can be wrong with it is found, not only the first thing. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { checkCosts, checkFallbacks, checkUse } from './check-agents.ts';
import { checkCycles } from './check-cycles.ts';
import type { AgentConfig, Config, LogLevel, RuleConfig } from './config.ts';
import { parseDuration } from './duration.ts';
import { deepFreeze, frozenMap } from './freeze.ts';
import { ownAgentConfigs } from './own-agents.ts';
import { readWorkflows } from './read-workflows.ts';
import { resolveAgents } from './resolve-agents.ts';
import { resolveAlerts, resolveThresholds } from './resolve-alerts.ts';
import { resolveBudget, warnOfLoad } from './resolve-limits.ts';
import { resolvePrices } from './resolve-prices.ts';
import { quietOf, resolveReviews, warnOfLoneAuthors } from './resolve-reviews.ts';
import { resolveRoots } from './resolve-roots.ts';
import { resolveRules } from './resolve-rules.ts';
import { resolveSchedules, withUniqueNames } from './resolve-triggers.ts';
import { resolveWorkflows } from './resolve-workflows.ts';
import { type Loose, projectPath, type Resolving, refuseReferences } from './resolving.ts';
import type { ConfigFile } from './schema.ts';
import { parseSize } from './size.ts';

/** By default there is room for a full batch in every process. */
function filesAtOnce({ batch }: RuleConfig): number {
  if (!batch) return 1;
  if (batch.by === 'folder') return LARGEST_FOLDER;
  return batch.maxFiles === 'auto' ? LARGEST_AUTO_BATCH : batch.maxFiles;
}

const LARGEST_FOLDER = 10_000;
/** As `max_files: auto` grows to. */
const LARGEST_AUTO_BATCH = 256;

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

  const quietMs = quietOf(data.reviews);
  const agents = await resolveAgents(
    context,
    // `auto` has become what was found.
    typeof data.agents === 'object' ? data.agents : {},
    data.watcher_endpoints ?? {},
    quietMs,
  );
  const known = new Map<string, AgentConfig | undefined>(defined.map((name) => [name, undefined]));
  for (const agent of agents) known.set(agent.name, agent);
  const maxProcesses = data.concurrency_limits?.max_processes ?? availableParallelism();
  const maxFiles = data.concurrency_limits?.max_concurrent_files;
  const reviews = resolveReviews(context, data.reviews, known);
  const read = await readWorkflows(context, data.workflows ?? [], file);
  const workflows = await resolveWorkflows(read, known, reviews);
  const rules = await resolveRules(
    context,
    data.routing_rules ?? [],
    known,
    workflows,
    { maxProcesses, maxConcurrentFiles: maxFiles ?? Number.POSITIVE_INFINITY },
    reviews ?? (findings.has(['reviews']) ? { on: new Set() } : undefined),
  );
  warnOfLoneAuthors(context, reviews, rules, known);
  const definitions = workflows.list.map(({ workflow }) => workflow);
  const schedules = await resolveSchedules(context, data.schedules ?? [], workflows);
  const concurrency = {
    maxProcesses,
    maxConcurrentFiles: maxFiles ?? maxProcesses * Math.max(2, ...rules.map(filesAtOnce)),
  };
  const roots = await resolveRoots(context, data.watch ?? [], { outputDir, stateDir });
  checkFallbacks(context, known);
  await checkCycles(context, { rules, agents: known, roots, own: [outputDir, stateDir] });
  checkUse(context, agents, rules, definitions, data.routing_rules ?? [], reviews);
  for (const { name, maxLoad } of agents)
    if (Number.isFinite(maxLoad) && maxLoad > maxProcesses)
      warnOfLoad(context, ['agents', name, 'max_load'], maxProcesses);
  const budget = resolveBudget(context, ['budget'], data.budget);
  const prices = resolvePrices(context, data.prices ?? []);
  checkCosts(context, agents, prices);

  return deepFreeze<Config>({
    file,
    projectDir,
    stateDir,
    roots,
    rules,
    agents: frozenMap(
      [...agents, ...ownAgentConfigs(rules, definitions, known, budget !== undefined)].map((agent) => [
        agent.name,
        agent,
      ]),
    ),
    workflows: definitions,
    schedules: [
      ...schedules,
      ...withUniqueNames(
        schedules,
        definitions.flatMap(({ on }) => on.schedules),
      ),
    ],
    concurrency,
    ...(budget && { budget }),
    prices,
    ...(reviews && { reviews }),
    alerts: await resolveAlerts(context, data.alerts ?? []),
    thresholds: resolveThresholds(data.thresholds),
    output: {
      dir: outputDir,
      preserveOriginal: output.preserve_original ?? true,
      logLevel: (output.log_level ?? 'info').toLowerCase() as LogLevel,
      retentionMs: parseDuration(output.retention ?? '') ?? 0,
      retentionJobs:
        typeof output.retention_jobs === 'number' ? output.retention_jobs : Number.POSITIVE_INFINITY,
      fileMode: Number.parseInt(output.file_mode ?? '0', 8),
    },
    cache: {
      ttlMs: parseDuration(data.cache?.ttl ?? '') ?? 0,
      maxBytes: parseSize(data.cache?.max_bytes ?? '') ?? 0,
    },
    daemon: {
      drainMs: parseDuration(data.daemon?.drain ?? '') ?? 0,
      minFreeDiskBytes: parseSize(data.daemon?.min_free_disk ?? '') ?? 0,
      maxDepth: data.daemon?.max_depth ?? 0,
      maxLogBytes: parseSize(data.daemon?.max_log_bytes ?? '') ?? 0,
    },
  });
}

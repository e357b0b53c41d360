/**
 * What `start` and a `run` without a daemon share, on top of the record: agents, aggregator, coordinator, in the order in
 * which they need each other. Stopping is the reverse. The watcher and the server are the daemon's own (`daemon.ts`).
 */
import { hash, randomUUID } from 'node:crypto';
import { type Agents, createAgents } from '../agents/agents.ts';
import type { CliLook } from '../agents/cli/look.ts';
import { priceOf } from '../agents/cli/prices.ts';
import { endLeftovers, readAttemptsJournal } from '../agents/spawner/spawner.ts';
import { type Aggregator, createAggregator } from '../aggregator/aggregator.ts';
import { collectOutputs } from '../aggregator/outputs.ts';
import type { ConditionBoard } from '../conditions/board.ts';
import type { AgentConfig, Config } from '../config/config.ts';
import { Coordinator } from '../coordinator/coordinator.ts';
import type { ResultStore } from '../coordinator/deps.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { OpenLog } from '../logging/log.ts';
import type { JobReviews } from '../reviews/job-reviews.ts';
import type { Approvals } from '../sandbox/approvals.ts';
import { explainSandboxFailure } from '../sandbox/hints.ts';
import type { Secrets } from '../secrets/secrets.ts';
import { AttemptStates } from '../sessions/attempts.ts';
import { Sessions } from '../sessions/sessions.ts';
import { AppError, messageOf } from '../types/errors.ts';
import type { Nesting } from '../types/nesting.ts';
import type { Workflows } from '../workflows/workflows.ts';
import type { Workspaces } from '../workspace/workspaces.ts';
import { isConfined } from './confined.ts';
import { watchDisk } from './disk.ts';
import { guardWorkflows } from './guard-workflows.ts';
import { housekeep } from './housekeeping.ts';
import { recordMetrics } from './metrics.ts';
import { protectedPlaces } from './protected-places.ts';
import type { ProjectRecord } from './record.ts';
import { createRedaction } from './redaction.ts';
import { type OpenReviews, openReviews } from './reviews.ts';
import { tellApprovals } from './tell-approvals.ts';
import { tellJobs } from './tell-jobs.ts';
import { tellRuns } from './tell-runs.ts';
import { type Tiers, watchTiers } from './tiers.ts';
import { openWorkflows, withWorkflows } from './workflows.ts';
import { openWorkspaces } from './workspaces.ts';

export interface Engine extends AsyncDisposable {
  readonly ledger: Ledger;
  readonly conditions: ConditionBoard;
  readonly coordinator: Coordinator;
  readonly workspaces: Workspaces;
  /** Commands of running attempts that wait for a person. */
  readonly approvals: Approvals;
  readonly workflows: Workflows;
  readonly sessions: Sessions;
  /** Gives attempts access to the state of their session. */
  readonly attemptStates: AttemptStates;
  /** Reviews of jobs. */
  readonly reviews: JobReviews;
  /** How well the project is staffed with agent CLIs now. */
  readonly tiers: Tiers;
  /** Why an agent cannot be started now, if so. */
  available(agent: AgentConfig): Promise<AppError | undefined>;
  /** Of an agent CLI: its program, version and log-in. @throws AppError. */
  lookAt(agent: AgentConfig): Promise<CliLook | undefined>;
  /** Texts as they may be shown to the owner: without the secrets of the configuration. */
  redaction(): Promise<(text: string) => string>;
  /** The aggregator in force: a reload may bring another output folder. */
  aggregator(): Aggregator;
  config(): Config;
  /** A new configuration, validated: everything follows it from now on. */
  configure(config: Config): Promise<void>;
  /** Lets attempts end for this long, then ends them; they go back to the queue. */
  drain(drainMs: number): Promise<void>;
}

export interface EngineOptions {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly log: OpenLog;
  /** Outlives the engine. */
  readonly record: ProjectRecord;
  /** Where the process was started from; default: by somebody, not by an agent. */
  readonly nesting?: Nesting;
  /** Nothing is started before `coordinator.unblock('pause')`. */
  readonly isPaused?: boolean;
}

const GRACE_MS = 5_000;

/** @throws AppError SPAWNER_FAILED … */
export async function openEngine({
  config: first,
  secrets,
  log,
  record: { ledger, conditions, isStateLost, onFull },
  nesting = { depth: 0 },
  isPaused = false,
}: EngineOptions): Promise<Engine> {
  await using opening = new AsyncDisposableStack();
  const { stateDir } = first;
  const now = Date.now;
  let config = first;
  if (nesting.depth > first.daemon.maxDepth)
    throw new AppError(
      'DEPTH_EXCEEDED',
      `Started at depth ${nesting.depth}; at most ${first.daemon.maxDepth} is allowed`,
      {
        fix: 'An agent starts `sluice` from inside its own work: let it not, or raise `daemon.max_depth`.',
      },
    );

  const tag = hash('sha256', stateDir, 'hex').slice(0, 16);
  const ended = await endLeftovers(tag);
  if (ended > 0) log.log.warn({ processes: ended }, 'ended processes that an earlier daemon left behind');
  const finished = await readAttemptsJournal(stateDir);

  const agents: Agents = opening.use(
    await createAgents({
      stateDir,
      projectDir: config.projectDir,
      tag,
      graceMs: GRACE_MS,
      secrets,
      conditions,
      protectedPaths: () => protectedPlaces(config),
      priceOf: (model, usage, at) => priceOf(config.prices, model, usage, at),
      kept: ledger.kept,
    }),
  );
  guardWorkflows(config);
  await agents.follow(config.agents.values());
  const sessions = opening.use(
    new Sessions({
      ledger: ledger.sessions,
      durable: () => ledger.durable(),
      now,
      onFault: (error) => log.log.error(`expired state stays: ${messageOf(error)}`),
    }),
  );
  await sessions.start();
  const redaction = createRedaction(secrets);
  const attemptStates = opening.use(new AttemptStates({ sessions, stateDir, env: process.env, conditions }));
  const workspaces = openWorkspaces({ config: () => config, conditions, now });
  const makeAggregator = (output: Config['output']): Aggregator =>
    createAggregator({
      output,
      projectDir: first.projectDir,
      stateDir,
      ledger,
      redact: secrets.redact,
      conditions,
      now,
      hasReviews: () => config.reviews !== undefined,
    });
  let aggregator = makeAggregator(config.output);
  opening.defer(async () => await aggregator[Symbol.asyncDispose]());

  const results: ResultStore = {
    collectOutputs: (dir) => collectOutputs(dir, undefined, secrets.redactFile),
    publish: (job, workDir) => aggregator.publish(job, workDir),
    hasResult: (id) => aggregator.hasResult(id),
    receiptOf: (id, input) => aggregator.receiptOf(id, input),
    archiveOriginal: (job, file) => aggregator.archiveOriginal(job, file),
    quarantine: (root, path, file) => aggregator.quarantine(root, path, file),
  };
  const taken = Promise.withResolvers<void>();
  taken.promise.catch(() => {});
  const coordinator: Coordinator = opening.use(
    new Coordinator({
      config,
      ledger,
      // Files of rules with a workflow wait until the runs of an earlier process are taken up.
      agents: withWorkflows(agents, () => taken.promise.then(() => workflows)),
      results,
      conditions,
      checkSecrets: async (texts) => {
        for (const text of texts) {
          const problem = await secrets.check(text);
          if (problem) return problem;
        }
        return undefined;
      },
      redact: secrets.redact,
      explainFailure: ({ stderrTail, sandbox }) => explainSandboxFailure(stderrTail, sandbox),
      isUnderReview: (id) => jobReviews.isUnderReview(id),
      isConfined: (agent) => isConfined(agent, config, conditions),
      workspaces,
      states: attemptStates,
      nesting,
      now,
      random: Math.random,
      worker: randomUUID(),
      isStateLost,
    }),
  );
  const tiers = opening.use(
    watchTiers({
      config: () => config,
      available: (agent) => agents.available(agent),
      ...{ coordinator, conditions, log: log.log, now },
    }),
  );
  const { reviews, jobs: jobReviews }: OpenReviews = openReviews({
    config: () => config,
    record: { ledger, conditions },
    coordinator,
    aggregator: () => aggregator,
    workspaces,
    tier: () => tiers.current(),
    redact: secrets.redact,
    log: log.log,
  });
  opening.use(jobReviews);
  const workflows = opening.use(
    openWorkflows({
      config: () => config,
      record: { ledger, conditions },
      coordinator,
      aggregator: () => aggregator,
      reviews,
      redact: secrets.redact,
      log: log.log,
    }),
  );
  // Runs give the jobs of their files back when they stop: those must not be claimed again in the same breath.
  opening.defer(() => coordinator.block('drain'));
  onFull((isFull) => (isFull ? coordinator.block('disk_full') : coordinator.unblock('disk_full')));
  tellJobs(coordinator.events, log.log);
  tellRuns(workflows.events, conditions, log.log);
  tellApprovals(agents.approvals, conditions, log.log);
  opening.use(
    watchDisk({ dirs: () => [stateDir, config.output.dir], config: () => config, conditions, coordinator }),
  );
  await workspaces.recover(async ({ jobId, root, path, stamp, sha256 }) => {
    const depth = ((await ledger.jobs.get(jobId))?.depth ?? 0) + 1;
    await ledger.written.put({ root, path, stamp, sha256, jobId, depth, at: now() });
  });
  opening.use(
    await recordMetrics({ config: () => config, ledger, events: coordinator.events, log: log.log }),
  );
  if (isPaused) coordinator.block('pause');
  await coordinator.start(
    finished.map((entry) => ({
      n: entry.n,
      journal: entry.journal,
      collect: (call) => agents.recover(call, entry),
    })),
  );
  await workflows.start();
  taken.resolve();
  await jobReviews.start();
  opening.use(
    housekeep({
      config: () => config,
      ledger,
      agents,
      coordinator,
      log: log.log,
    }),
  );

  const stack = opening.move();
  return {
    ledger,
    conditions,
    coordinator,
    reviews: jobReviews,
    tiers,
    available: (agent) => agents.available(agent),
    lookAt: (agent) => agents.lookAt(agent),
    workflows,
    workspaces,
    approvals: agents.approvals,
    sessions,
    attemptStates,
    redaction: () => redaction(config),
    aggregator: () => aggregator,
    config: () => config,
    async configure(next) {
      if (JSON.stringify(next.output) !== JSON.stringify(config.output)) {
        await aggregator[Symbol.asyncDispose]();
        forgetFolder(conditions, config.output.dir);
        aggregator = makeAggregator(next.output);
      }
      config = next;
      guardWorkflows(next);
      await agents.follow(next.agents.values());
      workflows.configure(next);
      await coordinator.configure(next);
      tiers.look().catch(() => {});
    },
    async drain(drainMs) {
      coordinator.block('drain');
      await workflows.drain();
      await coordinator.drain(drainMs);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Problems of an output folder that is no longer the one: nobody would ever find that they are over. */
function forgetFolder(conditions: ConditionBoard, dir: string): void {
  for (const { code, subject } of conditions.list()) if (subject === dir) conditions.clear(code, subject);
}

/**
 * What `start` and a `run` without a daemon share, on top of the record: agents, aggregator, coordinator, in the order in
 * which they need each other. Stopping is the reverse. The watcher and the server are the daemon's own (`daemon.ts`).
 */
import { hash, randomUUID } from 'node:crypto';
import { type Agents, createAgents } from '../agents/agents.ts';
import { endLeftovers, readAttemptsJournal } from '../agents/spawner/spawner.ts';
import { type Aggregator, createAggregator } from '../aggregator/aggregator.ts';
import { collectOutputs } from '../aggregator/outputs.ts';
import type { ConditionBoard } from '../conditions/board.ts';
import type { Config } from '../config/config.ts';
import { Coordinator } from '../coordinator/coordinator.ts';
import type { ResultStore } from '../coordinator/deps.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { OpenLog } from '../logging/log.ts';
import type { Secrets } from '../secrets/secrets.ts';
import { watchDisk } from './disk.ts';
import { housekeep } from './housekeeping.ts';
import type { ProjectRecord } from './record.ts';
import { tellJobs } from './tell-jobs.ts';

export interface Engine extends AsyncDisposable {
  readonly ledger: Ledger;
  readonly conditions: ConditionBoard;
  readonly coordinator: Coordinator;
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
}

const GRACE_MS = 5_000;

/** @throws AppError SPAWNER_FAILED … */
export async function openEngine({
  config: first,
  secrets,
  log,
  record: { ledger, conditions, isStateLost, onFull },
}: EngineOptions): Promise<Engine> {
  await using opening = new AsyncDisposableStack();
  const { stateDir } = first;
  const now = Date.now;
  let config = first;

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
    }),
  );
  const makeAggregator = (output: Config['output']): Aggregator =>
    createAggregator({
      output,
      projectDir: first.projectDir,
      stateDir,
      ledger,
      redact: secrets.redact,
      conditions,
      now,
    });
  let aggregator = makeAggregator(config.output);
  opening.defer(async () => await aggregator[Symbol.asyncDispose]());

  const results: ResultStore = {
    collectOutputs: (dir) => collectOutputs(dir),
    publish: (job, workDir) => aggregator.publish(job, workDir),
    hasResult: (id) => aggregator.hasResult(id),
    receiptOf: (id, input) => aggregator.receiptOf(id, input),
    archiveOriginal: (job, file) => aggregator.archiveOriginal(job, file),
    quarantine: (root, path, file) => aggregator.quarantine(root, path, file),
  };
  const coordinator = opening.use(
    new Coordinator({
      config,
      ledger,
      agents,
      results,
      conditions,
      checkSecrets: async (texts) => {
        for (const text of texts) {
          const problem = await secrets.check(text);
          if (problem) return problem;
        }
        return undefined;
      },
      now,
      random: Math.random,
      worker: randomUUID(),
      isStateLost,
    }),
  );
  onFull((isFull) => (isFull ? coordinator.block('disk_full') : coordinator.unblock('disk_full')));
  tellJobs(coordinator.events, log.log);
  opening.use(
    watchDisk({ dirs: () => [stateDir, config.output.dir], config: () => config, conditions, coordinator }),
  );
  await coordinator.start(
    finished.map((entry) => ({
      n: entry.n,
      journal: entry.journal,
      collect: (call) => agents.recover(call, entry),
    })),
  );
  opening.use(
    housekeep({
      config: () => config,
      ledger,
      agents,
      coordinator,
      history: {
        forget: (ids) => aggregator.forget(ids),
        trimHistory: (maxBytes) => aggregator.trimHistory(maxBytes),
      },
      log: log.log,
    }),
  );

  const stack = opening.move();
  return {
    ledger,
    conditions,
    coordinator,
    aggregator: () => aggregator,
    config: () => config,
    async configure(next) {
      if (JSON.stringify(next.output) !== JSON.stringify(config.output)) {
        await aggregator[Symbol.asyncDispose]();
        forgetFolder(conditions, config.output.dir);
        aggregator = makeAggregator(next.output);
      }
      config = next;
      await coordinator.configure(next);
    },
    drain: (drainMs) => coordinator.drain(drainMs),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Problems of an output folder that is no longer the one: nobody would ever find that they are over. */
function forgetFolder(conditions: ConditionBoard, dir: string): void {
  for (const { code, subject } of conditions.list()) if (subject === dir) conditions.clear(code, subject);
}

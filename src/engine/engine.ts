/**
 * What `start` and a `run` without a daemon share: ledger, agents, aggregator, coordinator, in the order in which they
 * need each other. Stopping is the reverse. The watcher and the server are the daemon's own (`daemon.ts`).
 */
import { hash, randomUUID } from 'node:crypto';
import { type Agents, createAgents } from '../agents/agents.ts';
import { endLeftovers, readAttemptsJournal } from '../agents/spawner/spawner.ts';
import { type Aggregator, createAggregator } from '../aggregator/aggregator.ts';
import { collectOutputs } from '../aggregator/outputs.ts';
import { type ConditionBoard, createConditionBoard } from '../conditions/board.ts';
import type { Config } from '../config/config.ts';
import { Coordinator } from '../coordinator/coordinator.ts';
import type { ResultStore } from '../coordinator/deps.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { lockProject } from '../ledger/lock.ts';
import { hasLedger, openSqliteLedger } from '../ledger/sqlite/open.ts';
import type { OpenLog } from '../logging/log.ts';
import type { Secrets } from '../secrets/secrets.ts';
import type { ErrorCode } from '../types/error-codes.ts';
import type { AppError } from '../types/errors.ts';
import { watchDisk } from './disk.ts';
import { housekeep } from './housekeeping.ts';
import { rebuildLedger } from './rebuild.ts';
import { guardState } from './state-guard.ts';
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
  /** For the lock's owner: `start`, `run`. */
  readonly command: string;
  /** A superseded job where nobody watches. */
  readonly onSuperseded?: (root: string, path: string) => void;
  /** The state folder is gone (STATE_LOST): what is done from now on will be found again by its receipts only. */
  readonly onStateLost?: (problem: AppError) => void;
}

const GRACE_MS = 5_000;

/** @throws AppError PROJECT_LOCKED, LEDGER_NEWER, SPAWNER_FAILED … */
export async function openEngine({
  config: first,
  secrets,
  log,
  command,
  onSuperseded,
  onStateLost = () => {},
}: EngineOptions): Promise<Engine> {
  await using opening = new AsyncDisposableStack();
  const { stateDir } = first;
  const now = Date.now;
  let config = first;

  const lock = opening.use(lockProject(stateDir, command));
  const conditions = createConditionBoard({
    now,
    onChange: (condition, isOpen) => tellCondition(log, condition, isOpen),
  });
  let coordinator: Coordinator | undefined;
  let ledgerProblem: ErrorCode | undefined;
  const isNew = !hasLedger(stateDir);
  const { ledger, setAside } = openSqliteLedger({
    stateDir,
    verify: lock.wasUnclean,
    onFull: (problem) => {
      if (problem) {
        ledgerProblem = problem.code;
        conditions.raise({
          code: problem.code,
          subject: 'ledger',
          message: problem.message,
          fix: problem.fix,
        });
        coordinator?.block('disk_full');
      } else {
        if (ledgerProblem) conditions.clear(ledgerProblem, 'ledger');
        coordinator?.unblock('disk_full');
      }
    },
  });
  opening.use(ledger);
  if (setAside !== undefined || isNew)
    await rebuildLedger({
      ledger,
      outputDir: config.output.dir,
      ...(setAside !== undefined && { setAside }),
      conditions,
    });
  const guard = opening.use(guardState(stateDir, onStateLost));

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
  coordinator = opening.use(
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
      isStateLost: guard.isLost,
      ...(onSuperseded && { onSuperseded }),
    }),
  );
  const running = coordinator;
  tellJobs(running.events, log.log);
  opening.use(
    watchDisk({ dirs: () => [stateDir, config.output.dir], config: () => config, conditions, coordinator }),
  );
  await running.start(
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
    coordinator: running,
    aggregator: () => aggregator,
    config: () => config,
    async configure(next) {
      if (JSON.stringify(next.output) !== JSON.stringify(config.output)) {
        await aggregator[Symbol.asyncDispose]();
        aggregator = makeAggregator(next.output);
      }
      config = next;
      await running.configure(next);
    },
    drain: (drainMs) => running.drain(drainMs),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function tellCondition(
  { log }: OpenLog,
  { code, subject, message, fix }: Parameters<ConditionBoard['raise']>[0],
  isOpen: boolean,
): void {
  if (isOpen)
    log.warn({ code, subject, fix }, `${code}${subject ? ` (${subject})` : ''}: ${message} — ${fix}`);
  else log.info({ code, subject }, `${code}${subject ? ` (${subject})` : ''} is over`);
}

/**
 * The composition root: what `sluice start` is. Read it from top to bottom for the order of starting; stopping is the
 * reverse. Nothing else builds these parts for a daemon, and nothing imports this file but the command line.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadedConfig } from './config/load.ts';
import { openAlerts } from './engine/alerts.ts';
import type { Engine } from './engine/engine.ts';
import { loadOneWorkflow, loadProject } from './engine/load-project.ts';
import { NewRoots } from './engine/new-roots.ts';
import { ownFolders } from './engine/own-folders.ts';
import { PaidBacklog } from './engine/paid-backlog.ts';
import { openRecord } from './engine/record.ts';
import { watchConfig } from './engine/reload.ts';
import { openSchedules } from './engine/schedules.ts';
import { raiseStandingConditions } from './engine/standing-conditions.ts';
import { takeUnrouted } from './engine/take-unrouted.ts';
import { watchThresholds } from './engine/thresholds.ts';
import type { OpenLog } from './logging/log.ts';
import type { DaemonState } from './operations/host.ts';
import type { Secrets } from './secrets/secrets.ts';
import { socketPath } from './server/socket-path.ts';
import { createNotifier } from './service/notify.ts';
import { formatElapsed } from './types/elapsed.ts';
import { AppError, messageOf } from './types/errors.ts';
import { nestingOf } from './types/nesting.ts';
import type { BootedWorker } from './watch/boot.ts';
import { startWatcher } from './watch/start.ts';
import type { Watcher } from './watch/watcher.ts';

export interface DaemonOptions {
  readonly loaded: LoadedConfig;
  readonly secrets: Secrets;
  readonly log: OpenLog;
  readonly env: NodeJS.ProcessEnv;
  /** Aborts when the daemon shall stop: running attempts get `daemon.drain`. */
  readonly stop: AbortSignal;
  /** Aborts when it shall stop at once. */
  readonly kill: AbortSignal;
  /** Asks for `stop` (the control socket does). */
  readonly requestStop: (who: string) => void;
  /** Called when every root is watched. */
  readonly onReady?: (watcher: Watcher) => void;
  /** A thread for the watcher that was started earlier. */
  readonly watchWorker?: BootedWorker;
}

/**
 * Runs until `stop`; resolves when everything has been put away.
 * @throws AppError of what keeps it from starting; STATE_LOST, when everything has been put away, if that made it stop.
 */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const { loaded, secrets, log, env, stop, kill } = options;
  const startedAt = Date.now();
  let state: DaemonState = 'starting';

  await using notifier = await createNotifier({ env });
  let stateProblem: AppError | undefined;
  await using record = await openRecord({
    config: loaded.config,
    log,
    command: 'start',
    onStateLost: (problem) => {
      stateProblem = problem;
      if (!stop.aborted) options.requestStop(problem.message);
    },
  });
  const newRoots = new NewRoots(record.ledger.files);
  await newRoots.lookAt(loaded.config.roots);
  // Beside the rest: what it finds waits until somebody takes it in.
  await using watcher = startWatcher(
    {
      roots: loaded.config.roots,
      excluded: ownFolders(loaded.config),
      stateDir: loaded.config.stateDir,
      ledgerId: record.ledger.id,
      known: (root, folders) =>
        Promise.all(folders.map((folder) => record.ledger.files.inFolder(root, folder))),
      conditions: record.conditions,
    },
    options.watchWorker,
  );
  // Loaded while the watcher walks: that is a quarter of the time until everything is known.
  const [{ openEngine }, { hostOf }, { Operations }, { startControlServer }] = await Promise.all([
    import('./engine/engine.ts'),
    import('./operations/engine-host.ts'),
    import('./operations/operations.ts'),
    import('./server/control.ts'),
  ]);
  await using engine = await openEngine({
    config: loaded.config,
    secrets,
    log,
    record,
    nesting: nestingOf(env),
  });
  raiseStandingConditions(engine.conditions);
  await using _thresholds = await watchThresholds({ ...engine, log: log.log });
  await using alerts = openAlerts({ ...engine, config: engine.config(), secrets, log: log.log });

  await using schedules = await openSchedules({ engine, log: log.log, stop });

  const host = hostOf(engine, {
    state: () => (state === 'running' && engine.coordinator.isPaused ? 'paused' : state),
    roots: () => watcher.status(),
    control: {
      stop: async (who) => options.requestStop(who),
      reload: (who) => config.reload(who),
      async setLogLevel(level, who) {
        log.setLevel(level);
        await engine.ledger.audit.append({ type: 'log_level', who, data: { level } });
      },
    },
    schedules,
    loadWorkflow: (file) => loadOneWorkflow(file, engine.config(), secrets),
    startedAt,
  });
  const backlog = new PaidBacklog(engine);
  await using config = watchConfig({
    loaded,
    load: (file) => loadProject(file, secrets),
    engine,
    log,
    notifier,
    apply: async (next) => {
      await engine.configure(next);
      alerts.configure(next);
      await schedules.configure(next);
      await newRoots.lookAt(next.roots);
      await watcher.update(next.roots);
      void watcher.sweep().then(async () => {
        await backlog.settle();
        await newRoots.mark();
      });
      await takeUnrouted(engine);
    },
  });
  using operations = new Operations(host, stop);
  await using _server = await startControlServer({
    socket: socketPath(loaded.config.stateDir, env),
    operations,
  });

  const intake = takeIn({ engine, watcher, newRoots, backlog }, options);
  await watcher.watching;
  state = 'running';
  notifier.ready(
    `watching ${engine
      .config()
      .roots.map((root) => root.name)
      .join(', ')}`,
  );
  notifier.startWatchdog(async () => {
    await engine.ledger.durable();
    return true;
  });
  options.onReady?.(watcher);

  await intake;
  state = 'draining';
  notifier.stopping(engine.config().daemon.drainMs);
  const atOnce = (): void => void engine.drain(0);
  kill.addEventListener('abort', atOnce, { once: true });
  await engine.drain(kill.aborted || stateProblem ? 0 : engine.config().daemon.drainMs);
  if (stateProblem) throw stateProblem;
}

/** Everything the watcher finds goes to the coordinator, batch by batch: what is not taken yet holds the watcher back. */
async function takeIn(
  {
    engine,
    watcher,
    newRoots,
    backlog,
  }: { engine: Engine; watcher: Watcher; newRoots: NewRoots; backlog: PaidBacklog },
  { stop, log: { log } }: DaemonOptions,
): Promise<void> {
  void watcher.swept.then(async () => {
    await backlog.settle();
    await newRoots.mark();
    const files = watcher.status().reduce((sum, root) => sum + root.files, 0);
    log.info({ files }, `first sweep: ${files} files, ${formatElapsed(performance.now())} after the start`);
  });
  const tellFault = (error: unknown): void => {
    if (stop.aborted) return;
    const { code, fix } = error instanceof AppError ? error : { code: 'INTERNAL', fix: '' };
    log.error({ code, fix }, `intake: ${messageOf(error)}`);
  };
  /** Batches with large files that are still being read: the watcher is held back by a few of them, not by one. */
  const readings = new Set<Promise<void>>();
  for await (const changes of watcher.changes(stop)) {
    try {
      const wanted = changes.filter((change) => !backlog.keeps(change, newRoots.isNew(change.root)));
      const { reading } = await engine.coordinator.submitAll(wanted, (change) => ({
        ignore: newRoots.ignores(change),
      }));
      const done = reading.then(() => {}, tellFault).finally(() => readings.delete(done));
      readings.add(done);
      if (readings.size >= MAX_READINGS) await Promise.race(readings);
    } catch (error) {
      // The sweep finds again what was not taken in; a pause keeps a lasting fault from spinning.
      tellFault(error);
      await sleep(1_000, undefined, { signal: stop }).catch(() => {});
    }
  }
}

const MAX_READINGS = 64;

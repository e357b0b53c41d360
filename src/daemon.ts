/**
 * The composition root: what `sluice start` is. Read it from top to bottom for the order of starting; stopping is the
 * reverse. Nothing else builds these parts for a daemon, and nothing imports this file but the command line.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { toReceipt } from './aggregator/receipt.ts';
import type { LoadedConfig } from './config/load.ts';
import { type Engine, openEngine } from './engine/engine.ts';
import { loadProject } from './engine/load-project.ts';
import { ownFolders } from './engine/own-folders.ts';
import { watchConfig } from './engine/reload.ts';
import type { OpenLog } from './logging/log.ts';
import type { DaemonState, Host } from './operations/host.ts';
import { Operations } from './operations/operations.ts';
import type { Secrets } from './secrets/secrets.ts';
import { startControlServer } from './server/control.ts';
import { socketPath } from './server/socket-path.ts';
import { createNotifier } from './service/notify.ts';
import { formatElapsed } from './types/elapsed.ts';
import { AppError, messageOf } from './types/errors.ts';
import { explainIgnored } from './watch/ignore.ts';
import { scanOnce } from './watch/scan.ts';
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
}

/**
 * Runs until `stop`; resolves when everything has been put away.
 * @throws AppError of what keeps it from starting; STATE_LOST, when everything has been put away, if that made it stop.
 */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const { loaded, secrets, log, env, stop, kill } = options;
  const startedAt = Date.now();
  let state: DaemonState = 'starting';
  let watcher: Watcher | undefined;

  await using notifier = await createNotifier({ env });
  let stateProblem: AppError | undefined;
  await using engine = await openEngine({
    config: loaded.config,
    secrets,
    log,
    command: 'start',
    onStateLost: (problem) => {
      stateProblem = problem;
      if (!stop.aborted) options.requestStop(problem.message);
    },
  });
  raiseStandingConditions(engine);
  const newRoots = await unseenRoots(engine);

  const host: Host = {
    config: engine.config,
    state: () => (state === 'running' && engine.coordinator.isPaused ? 'paused' : state),
    ledger: engine.ledger,
    coordinator: engine.coordinator,
    conditions: engine.conditions,
    results: {
      toReceipt,
      locate: (job) => engine.aggregator().locate(job),
      rebuild: () => engine.aggregator().rebuild(),
      flush: () => engine.aggregator().flush(),
    },
    roots: () => watcher?.status() ?? [],
    scan: ({ paths, signal }) =>
      scanOnce({
        roots: engine.config().roots,
        ...(paths && { paths }),
        excluded: ownFolders(engine.config()),
        signal,
      }),
    explainIgnored: (root, path) =>
      explainIgnored(root, path, ownFolders(engine.config()), engine.config().roots.indexOf(root)),
    control: {
      stop: async (who) => options.requestStop(who),
      reload: (who) => config.reload(who),
      async setLogLevel(level, who) {
        log.setLevel(level);
        await engine.ledger.audit.append({ type: 'log_level', who, data: { level } });
      },
    },
    startedAt,
  };
  await using config = watchConfig({
    loaded,
    load: (file) => loadProject(file, secrets),
    engine,
    log,
    notifier,
    apply: async (next) => {
      await engine.configure(next);
      await watcher?.update(next.roots);
    },
  });
  const operations = new Operations(host, stop);
  await using _server = await startControlServer({
    socket: socketPath(loaded.config.stateDir, env),
    operations,
  });

  await using started = await startWatcher({
    roots: engine.config().roots,
    excluded: ownFolders(engine.config()),
    stateDir: loaded.config.stateDir,
    ledgerId: engine.ledger.id,
    known: (root, folders) =>
      Promise.all(folders.map((folder) => engine.ledger.files.inFolder(root, folder))),
    conditions: engine.conditions,
  });
  watcher = started;
  const intake = takeIn(engine, started, newRoots, options);
  await started.watching;
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
  options.onReady?.(started);

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
  engine: Engine,
  watcher: Watcher,
  newRoots: ReadonlySet<string>,
  { stop, log: { log } }: DaemonOptions,
): Promise<void> {
  let areRootsNew = newRoots.size > 0;
  void watcher.swept.then(async () => {
    areRootsNew = false;
    for (const root of newRoots) await engine.ledger.files.markRoot(root);
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
      const { reading } = await engine.coordinator.submitAll(changes, (change) => ({
        ignore: areRootsNew && isInitial(engine, newRoots, change),
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

/** It was there before its root was first watched, and the root says `initial: ignore`. */
function isInitial(
  engine: Engine,
  newRoots: ReadonlySet<string>,
  change: Parameters<Engine['coordinator']['submit']>[0],
): boolean {
  if (change.type === 'removed' || change.found !== 'sweep' || !newRoots.has(change.root)) return false;
  return engine.config().roots.find((root) => root.name === change.root)?.initial === 'ignore';
}

async function unseenRoots(engine: Engine): Promise<Set<string>> {
  const unseen = new Set<string>();
  for (const { name } of engine.config().roots)
    if (await engine.ledger.files.isNewRoot(name)) unseen.add(name);
  return unseen;
}

function raiseStandingConditions({ conditions, config }: Engine): void {
  if (process.getuid?.() === 0)
    conditions.raise({
      code: 'RUNS_AS_ROOT',
      subject: '',
      message: 'the daemon runs as root, and so do its agents',
      fix: 'Run it as a user of its own: `sluice service install --run-as sluice`.',
    });
  for (const agent of config().agents.values())
    if (agent.kind === 'command' && agent.sandbox.mode === 'auto')
      conditions.raise({
        code: 'SANDBOX_NONE',
        subject: agent.name,
        message: `agent "${agent.name}" runs without confinement: this version has no sandbox`,
        fix: 'Say so with `sandbox: { mode: off, reason: "…" }` on the agent, or run the daemon as a user that may do little.',
      });
}

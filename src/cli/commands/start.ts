/** `sluice start`: the daemon in this process. The first signal drains, the second leaves at once. */

import { setFlagsFromString } from 'node:v8';
import { formatDuration } from '../../config/duration.ts';
import { openLog } from '../../logging/log.ts';
import { bootWatchWorker } from '../../watch/boot.ts';
import type { CommandContext } from '../context.ts';

const LEAVE_MS = 1_000;

export async function run(context: CommandContext): Promise<number> {
  outliveTerminal();
  stayLean();
  await using watchWorker = bootWatchWorker();
  const { runDaemon } = await import('../../daemon.ts');
  const loaded = await context.load();
  const { config, secrets } = loaded;
  using log = await openLog({
    stateDir: config.stateDir,
    level: config.output.logLevel,
    redact: secrets.redact,
    maxBytes: config.daemon.maxLogBytes,
    stderr: process.stderr.isTTY ? 'pretty' : 'json',
  });
  for (const { message, fix } of loaded.warnings) log.log.warn({ fix }, `${message} — ${fix}`);
  const stop = new AbortController();
  const kill = new AbortController();
  const requestStop = (who: string): void => {
    if (stop.signal.aborted) return;
    const drain = formatDuration(config.daemon.drainMs);
    log.log.info(`stopping (${who}): running attempts get ${drain}; a second signal ends them at once`);
    stop.abort(who);
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    if (!stop.signal.aborted) return requestStop(signal);
    kill.abort(signal);
    // Agents that do not go when asked are ended by the spawner, once we are gone.
    setTimeout(() => process.exit(1), LEAVE_MS).unref();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    await runDaemon({
      loaded,
      secrets,
      log,
      env: context.env,
      stop: stop.signal,
      kill: kill.signal,
      requestStop,
      watchWorker,
      onReady: (watcher) => {
        for (const root of watcher.status())
          log.log.info(
            `watching ${root.dir} (${root.mode}, ${config.rules.length} rules) → ${config.output.dir}`,
          );
        log.log.info(`drop files there; overview: ${config.output.dir}/index.html`);
      },
    });
    log.log.info('stopped');
    return 0;
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

/**
 * A daemon is idle most of the time, but V8 lets its young generation grow while the program is loaded and keeps it:
 * 13 MiB of 125. Works only before that growth, hence the imports after it.
 */
function stayLean(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** The terminal it was started from is closed, or who read its output is gone: the daemon goes on, its log file has all. */
function outliveTerminal(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.removeAllListeners('error');
    stream.on('error', () => {});
  }
}

/** `sluice start`: the daemon in this process. The first signal drains, the second leaves at once. */

import { runDaemon } from '../../daemon.ts';
import { openLog } from '../../logging/log.ts';
import type { CommandContext } from '../context.ts';

export async function run(context: CommandContext): Promise<number> {
  const loaded = await context.load();
  const { config, secrets } = loaded;
  using log = await openLog({
    stateDir: config.stateDir,
    level: config.output.logLevel,
    redact: secrets.redact,
    stderr: process.stderr.isTTY ? 'pretty' : 'json',
  });
  for (const { message, fix } of loaded.warnings) log.log.warn({ fix }, `${message} — ${fix}`);
  const stop = new AbortController();
  const kill = new AbortController();
  const requestStop = (who: string): void => {
    if (stop.signal.aborted) {
      kill.abort(who);
      process.exit(1);
    }
    log.log.info(
      `stopping (${who}): running attempts get ${config.daemon.drainMs / 1000} s; once more to leave at once`,
    );
    stop.abort(who);
  };
  const onSignal = (signal: NodeJS.Signals): void => requestStop(signal);
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

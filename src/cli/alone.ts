/** A project's parts without a daemon: for commands that process something themselves (`run`, `jobs retry`). */
import { toReceipt } from '../aggregator/receipt.ts';
import { openEngine } from '../engine/engine.ts';
import { ownFolders } from '../engine/own-folders.ts';
import { openLog } from '../logging/log.ts';
import type { Host } from '../operations/host.ts';
import { Operations } from '../operations/operations.ts';
import { AppError } from '../types/errors.ts';
import { explainIgnored } from '../watch/ignore.ts';
import { scanOnce } from '../watch/scan.ts';
import type { CommandContext } from './context.ts';

export interface Alone extends AsyncDisposable {
  readonly operations: Operations;
  readonly host: Host;
}

/** @param stop Aborts what is under way; running attempts go back to the queue. */
export async function openAlone(context: CommandContext, command: string, stop: AbortSignal): Promise<Alone> {
  await using opening = new AsyncDisposableStack();
  const { config, secrets } = await context.load();
  const log = opening.use(
    await openLog({
      stateDir: config.stateDir,
      level: config.output.logLevel,
      redact: secrets.redact,
      stderr: 'none',
    }),
  );
  const excluded = ownFolders(config);
  const engine = opening.use(await openEngine({ config, secrets, log, command }));
  const refuse = async (): Promise<never> => {
    throw new AppError('NOT_RUNNING', 'No daemon runs for this project', {
      fix: 'Start it with `sluice start`.',
    });
  };
  const host: Host = {
    config: engine.config,
    state: () => 'running',
    ledger: engine.ledger,
    coordinator: engine.coordinator,
    conditions: engine.conditions,
    results: {
      toReceipt,
      locate: (job) => engine.aggregator().locate(job),
      rebuild: () => engine.aggregator().rebuild(),
      flush: () => engine.aggregator().flush(),
    },
    roots: () => [],
    scan: ({ paths, signal }) => scanOnce({ roots: config.roots, ...(paths && { paths }), excluded, signal }),
    explainIgnored: (root, path) => explainIgnored(root, path, excluded, engine.config().roots.indexOf(root)),
    control: { stop: refuse, reload: refuse, setLogLevel: refuse },
    startedAt: Date.now(),
  };
  stop.addEventListener('abort', () => void engine.drain(0), { once: true });
  const stack = opening.move();
  return { operations: new Operations(host, stop), host, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

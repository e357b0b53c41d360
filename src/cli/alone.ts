/** A project's parts without a daemon: for commands that process something themselves (`run`, `jobs retry`). */
import { openEngine } from '../engine/engine.ts';
import { loadOneWorkflow } from '../engine/load-project.ts';
import { openRecord } from '../engine/record.ts';
import { openLog } from '../logging/log.ts';
import { hostOf } from '../operations/engine-host.ts';
import type { Host } from '../operations/host.ts';
import { Operations } from '../operations/operations.ts';
import { AppError } from '../types/errors.ts';
import type { CommandContext } from './context.ts';

export interface Alone extends AsyncDisposable {
  readonly operations: Operations;
  readonly host: Host;
}

/**
 * @param stop Aborts what is under way; running attempts go back to the queue.
 * @param o.isPaused What an earlier process left does not go on before `operations.resume()`.
 */
export async function openAlone(
  context: CommandContext,
  command: string,
  stop: AbortSignal,
  { isPaused = false }: { readonly isPaused?: boolean } = {},
): Promise<Alone> {
  await using opening = new AsyncDisposableStack();
  const { config, secrets } = await context.load();
  const log = opening.use(
    await openLog({
      stateDir: config.stateDir,
      level: config.output.logLevel,
      redact: secrets.redact,
      maxBytes: config.daemon.maxLogBytes,
      stderr: 'none',
    }),
  );
  const record = opening.use(await openRecord({ config, log, command }));
  const engine = opening.use(await openEngine({ config, secrets, log, record, isPaused }));
  const refuse = async (): Promise<never> => {
    throw new AppError('NOT_RUNNING', 'No daemon runs for this project', {
      fix: 'Start it with `sluice start`.',
    });
  };
  const host = hostOf(engine, {
    state: () => 'running',
    roots: () => [],
    control: { stop: refuse, reload: refuse, setLogLevel: refuse },
    loadWorkflow: (file) => loadOneWorkflow(file, engine.config(), secrets),
    startedAt: Date.now(),
  });
  stop.addEventListener('abort', () => void engine.drain(0), { once: true });
  const operations = opening.use(new Operations(host, stop));
  const stack = opening.move();
  return { operations, host, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/**
 * Tells systemd how we are (`sd_notify`): ready, what we do, reloading, stopping, and that we are alive. Sent by the C
 * library from our own process; `systemd-notify` remains for machines where that can not be loaded. It was rejected as
 * the first choice: a child every ten seconds, and `NotifyAccess=all` would let every agent speak for the daemon.
 *
 * Without `NOTIFY_SOCKET` nothing is sent and nothing loaded. Messages keep their order; none of the calls waits.
 */
import { AppError, messageOf } from '../types/errors.ts';
import { type NotifySocket, openNotifySocket } from './notify-socket.ts';

export interface NotifierOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Told when systemd could not be told: it may end us for that. Default: a line on stderr, which the journal keeps. */
  readonly onFailure?: (error: AppError) => void;
}

export interface Notifier extends AsyncDisposable {
  /** Start-up, or a reload, is complete. */
  ready(status: string): void;
  /** The line that `systemctl status` shows. */
  status(text: string): void;
  reloading(): void;
  /** @param forMs How long it may take: systemd is asked for that time, and a little more. */
  stopping(forMs?: number): void;
  /** Reports life three times within each period that systemd allows, while `check` resolves to true. */
  startWatchdog(check: () => Promise<boolean>): void;
}

/** Beyond the time that running attempts get, ending their trees and the ledger's last commit need some. */
const stopMarginMs = 20_000;
const busyRetryMs = 100;
const busyRetries = 20;

export async function createNotifier({ env, onFailure = toStderr }: NotifierOptions): Promise<Notifier> {
  const address = env.NOTIFY_SOCKET;
  const send = address ? await createSender(address, env) : undefined;
  const periodMs = watchdogPeriodMs(env);
  let queue = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let isDisposed = false;

  const tell = (...lines: readonly string[]): void => {
    if (send === undefined) return;
    queue = queue.then(() => send(lines.join('\n'))).catch((cause) => onFailure(failure(cause)));
  };
  return {
    ready: (status) => tell('READY=1', `STATUS=${oneLine(status)}`),
    status: (text) => tell(`STATUS=${oneLine(text)}`),
    // Node's clock for `hrtime` is CLOCK_MONOTONIC, the one systemd compares with.
    reloading: () =>
      tell('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`, 'STATUS=reloading'),
    stopping: (forMs) =>
      tell(
        'STOPPING=1',
        'STATUS=stopping',
        ...(forMs === undefined ? [] : [`EXTEND_TIMEOUT_USEC=${Math.ceil(forMs + stopMarginMs) * 1000}`]),
      ),
    startWatchdog(check) {
      if (send === undefined || periodMs === undefined || timer !== undefined || isDisposed) return;
      const beat = async (): Promise<void> => {
        // A check that fails or hangs sends nothing, and after the period systemd restarts us: that is its use.
        if (await check().catch(() => false)) tell('WATCHDOG=1');
        if (!isDisposed) timer = setTimeout(beat, periodMs / 3).unref();
      };
      timer = setTimeout(beat, 0).unref();
    },
    async [Symbol.asyncDispose]() {
      isDisposed = true;
      clearTimeout(timer);
      await queue;
    },
  };
}

async function createSender(
  address: string,
  env: NodeJS.ProcessEnv,
): Promise<(message: string) => Promise<void>> {
  let socket: NotifySocket;
  try {
    socket = await openNotifySocket(address);
  } catch {
    return (message) => sendByCommand(message, env);
  }
  return async (message) => {
    for (let tries = 0; ; tries += 1) {
      const code = socket.send(message);
      if (code === undefined) return;
      // The socket's queue is short, and systemd itself may be busy.
      if (code !== 'EAGAIN' || tries === busyRetries)
        throw new Error(`sending to ${address} failed: ${code}`);
      await new Promise((resolve) => setTimeout(resolve, busyRetryMs));
    }
  };
}

async function sendByCommand(message: string, env: NodeJS.ProcessEnv): Promise<void> {
  const { execa } = await import('execa');
  await execa('systemd-notify', [`--pid=${process.pid}`, ...message.split('\n')], {
    env,
    extendEnv: false,
    stdin: 'ignore',
    timeout: 5_000,
  });
}

/** Undefined where no watchdog is set, or it is another process that has to report. */
function watchdogPeriodMs(env: NodeJS.ProcessEnv): number | undefined {
  const periodUs = Number(env.WATCHDOG_USEC);
  if (!Number.isFinite(periodUs) || periodUs <= 0) return undefined;
  return env.WATCHDOG_PID === undefined || Number(env.WATCHDOG_PID) === process.pid
    ? periodUs / 1000
    : undefined;
}

/** A line break would start another assignment. */
function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ');
}

function failure(cause: unknown): AppError {
  return new AppError('SERVICE_FAILED', `systemd could not be told how the daemon is: ${messageOf(cause)}`, {
    cause,
    fix: 'Run `sluice service install` again, which looks at what this machine can do, and then `sluice doctor --as-service`.',
  });
}

function toStderr(error: AppError): void {
  process.stderr.write(`${error.message}\n  fix: ${error.fix}\n`);
}

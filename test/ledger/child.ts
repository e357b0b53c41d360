/** A real child process that speaks in lines, and is gone when the test is over. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

const DEADLINE_MS = 60_000;

export interface Child {
  readonly process: ChildProcess;
  readonly pid: number;
  /** Its next line; an error when none comes within ten seconds. */
  line(awaited: string): Promise<string>;
  /** Kills it and waits until it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

export function startChild(command: string, args: readonly string[]): Child {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const exited = once(child, 'exit');
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    child.kill(signal);
    await exited;
  };
  onTestFinished(() => kill());
  return {
    process: child,
    pid: child.pid ?? 0,
    async line(awaited) {
      const { promise, reject } = Promise.withResolvers<never>();
      const timer = setTimeout(
        () => reject(new Error(`no line within ${DEADLINE_MS} ms: ${awaited}`)),
        DEADLINE_MS,
      );
      const { value, done } = await Promise.race([lines.next(), promise]).finally(() => clearTimeout(timer));
      if (done) throw new Error(`the child ended before: ${awaited}`);
      return value;
    },
    kill,
  };
}

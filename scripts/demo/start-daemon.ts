/** Starts `sluice start` as a user would, shows what it logs, and ends it with the signal that Ctrl-C sends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface StartOptions {
  readonly repository: string;
  readonly project: string;
  readonly onLine: (line: string) => void;
}

export interface DemoDaemon extends AsyncDisposable {
  stop(): Promise<void>;
}

/** Resolves when it watches. */
export async function startDaemon({ repository, project, onLine }: StartOptions): Promise<DemoDaemon> {
  const child = spawn(process.execPath, [join(repository, 'bin/sluice.js'), 'start'], {
    cwd: project,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  const watching = Promise.withResolvers<void>();
  createInterface({ input: child.stderr }).on('line', (line) => {
    const text = messageOf(line);
    onLine(text);
    if (text.startsWith('drop files there')) watching.resolve();
  });
  void exited.then(([code]) =>
    watching.reject(new Error(`the daemon ended with ${code} before it was ready`)),
  );
  await watching.promise;
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGINT');
    await exited;
  };
  return { stop, [Symbol.asyncDispose]: stop };
}

function messageOf(line: string): string {
  try {
    return (JSON.parse(line) as { msg: string }).msg;
  } catch {
    return line;
  }
}

/** Starting processes by `child_process`, where the native way is missing: macOS, or a machine without FFI. */
import { spawn } from 'node:child_process';
import { systemCode } from '../../types/errors.ts';
import { pathToBytes } from '../../types/path-bytes.ts';
import { type Launch, LaunchError, type Launcher, type OnExit } from './launcher.ts';

export interface PortableOptions {
  readonly onExit: OnExit;
  /** After that. */
  readonly onDrained: () => void;
}

export function createPortableLauncher(options: PortableOptions): Launcher {
  return {
    start: (launch) => start(launch, options),
    kill: (pid, signal) => {
      try {
        return process.kill(pid, signal);
      } catch {
        return false;
      }
    },
    children: () => undefined,
    markOf: () => 0,
  };
}

function start(
  { file, argv, env, cwd, stdinFd, stdoutFd, stderrFd }: Launch,
  { onExit, onDrained }: PortableOptions,
): number | Promise<number> {
  for (const text of [file, cwd, ...argv, ...Object.values(env)]) {
    if (text.includes('\0')) throw new LaunchError('EINVAL', 'an argument or variable holds a NUL character');
    // Node hands over strings as UTF-8 only: another name than the one that was meant must not reach the command.
    if (!pathToBytes(text).equals(Buffer.from(text)))
      throw new LaunchError('EILSEQ', 'a name that is not UTF-8 can only be handed over on Linux');
  }
  const child = spawn(file, argv.slice(1), {
    argv0: argv[0],
    cwd,
    env,
    detached: true,
    stdio: [stdinFd ?? 'ignore', stdoutFd, stderrFd],
  });
  const { pid } = child;
  if (pid === undefined) {
    // Why it was refused is only told by an event.
    return new Promise((_resolve, reject) => {
      child.once('error', (error) => reject(new LaunchError(systemCode(error) ?? 'EINVAL', file)));
    });
  }
  child.on('exit', (code, signal) => {
    onExit(pid, signal === null ? { exitCode: code ?? 0 } : { signal });
    onDrained();
  });
  return pid;
}

/** One call of `systemctl`, `launchctl` or a system tool, with a refusal that people can act on. */
import { AppError } from '../types/errors.ts';
import type { ServiceHost } from './host.ts';

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starting a service waits until it is ready. */
const timeoutMs = 15 * 60_000;

/** Never throws for what the command says; for one that does not exist, exit code 127 as shells have it. */
export async function call(host: ServiceHost, argv: readonly string[]): Promise<CommandResult> {
  const { execa } = await import('execa');
  const [file, ...args] = argv as [string, ...string[]];
  const result = await execa(file, args, {
    env: { ...host.env, LC_ALL: 'C', SYSTEMD_PAGER: '', SYSTEMD_COLORS: '0' },
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    timeout: timeoutMs,
  });
  if (result.code === 'ENOENT') return { exitCode: 127, stdout: '', stderr: `${file}: not found on PATH` };
  return {
    exitCode: result.exitCode ?? 1,
    stdout: result.stdout,
    stderr: result.stderr || (result.failed ? (result.shortMessage ?? '') : ''),
  };
}

/** @throws AppError SERVICE_FAILED with what the command said. */
export async function must(host: ServiceHost, argv: readonly string[], fix: string): Promise<CommandResult> {
  const result = await call(host, argv);
  if (result.exitCode === 0) return result;
  const said = result.stderr.trim() || result.stdout.trim() || `exit code ${result.exitCode}`;
  const noBus = /Failed to connect to.*bus/i.test(said);
  throw new AppError('SERVICE_FAILED', `\`${argv.join(' ')}\` failed: ${said}`, {
    fix: noBus
      ? 'Log in as that user (`machinectl shell NAME@` or ssh, not `su`), or run `sudo loginctl enable-linger NAME` once and set XDG_RUNTIME_DIR=/run/user/UID.'
      : fix,
  });
}

export function systemctl(scope: 'system' | 'user', ...args: readonly string[]): readonly string[] {
  return ['systemctl', ...(scope === 'user' ? ['--user'] : []), '--no-pager', ...args];
}

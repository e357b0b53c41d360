/**
 * Whom a system service runs as. Root is not taken silently: its agents would be root too. A user is tried out before
 * anything is written, by being it for a moment, since modes alone do not tell what access lists and mounts allow.
 */
import { AppError } from '../types/errors.ts';
import type { ServiceHost } from './host.ts';
import { call } from './manager-command.ts';

/** @throws AppError SERVICE_FAILED without a user. */
export function requireUser(o: {
  readonly runAs: string | undefined;
  readonly projectDir: string;
  readonly host: ServiceHost;
}): string {
  if (o.runAs !== undefined) return o.runAs;
  const caller = o.host.env.SUDO_USER;
  const own = caller && caller !== 'root' ? `\nor run it as yourself: \`--run-as ${caller}\`` : '';
  throw new AppError(
    'SERVICE_FAILED',
    'A system service without a user would run as root, and so would its agents',
    {
      fix: `Give it a user of its own:\n  ${makeUser('sluice', o.projectDir)}\n  sluice service install --run-as sluice${own}`,
    },
  );
}

/** @throws AppError SERVICE_FAILED when the user does not exist or can not reach what the daemon needs. */
export async function requireAccess(o: {
  readonly host: ServiceHost;
  readonly user: string;
  readonly projectDir: string;
  readonly executables: readonly string[];
}): Promise<void> {
  const { host, user, projectDir } = o;
  const group = await call(host, ['id', '-g', '--', user]);
  if (group.exitCode !== 0) {
    throw new AppError('SERVICE_FAILED', `There is no user "${user}"`, {
      fix: `Make it: ${makeUser(user, projectDir)}`,
    });
  }
  const can = async (test: string, path: string): Promise<boolean> => {
    const { exitCode } = await call(host, [
      'setpriv',
      `--reuid=${user}`,
      `--regid=${group.stdout.trim()}`,
      '--init-groups',
      'test',
      test,
      path,
    ]);
    // Only `test` itself says 1; where `setpriv` is missing or refuses, systemd will tell.
    return exitCode !== 1;
  };
  if (!(await can('-w', projectDir))) {
    throw new AppError('SERVICE_FAILED', `User "${user}" can not write to the project folder ${projectDir}`, {
      fix: `sudo chown -R ${user}: '${projectDir.replaceAll("'", String.raw`'\''`)}' (and let ${user} enter the folders above it)`,
    });
  }
  for (const path of o.executables) {
    if (await can('-r', path)) continue;
    throw new AppError('SERVICE_FAILED', `User "${user}" can not read ${path}, which the service would run`, {
      fix: 'Install Node and Sluice where everybody can read them (for example `sudo npm install -g sluice`), or run as the user who owns them.',
    });
  }
}

function makeUser(user: string, projectDir: string): string {
  const quoted = `'${projectDir.replaceAll("'", String.raw`'\''`)}'`;
  return `sudo useradd --system --user-group --home-dir ${quoted} --shell /usr/sbin/nologin ${user} && sudo chown -R ${user}: ${quoted}`;
}

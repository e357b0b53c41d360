/** The words that installing, removing and asking share. */
import { hash } from 'node:crypto';
import { basename, join } from 'node:path';
import { AppError } from '../types/errors.ts';
import type { ServiceHost } from './host.ts';

export type ServiceScope = 'system' | 'user';

export interface ServiceAddress {
  readonly manager: 'systemd' | 'launchd';
  readonly scope: ServiceScope;
  /** `sluice-invoices-1c29af.service`, or launchd's label. */
  readonly name: string;
  /** The unit's or agent's file. */
  readonly file: string;
}

/** One service per project folder; the folder's path makes the name unique, its own name makes it readable. */
export function serviceAddress(o: {
  readonly projectDir: string;
  readonly scope: ServiceScope;
  readonly host: ServiceHost;
}): ServiceAddress {
  const { projectDir, scope, host } = o;
  const readable = basename(projectDir)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40);
  const id = ['sluice', readable, hash('sha256', projectDir, 'hex').slice(0, 6)].filter(
    (part) => part !== '',
  );
  if (host.platform === 'darwin') {
    const label = id.join('.');
    return {
      manager: 'launchd',
      scope,
      name: label,
      file: join(homeOf(host), 'Library', 'LaunchAgents', `${label}.plist`),
    };
  }
  const name = `${id.join('-')}.service`;
  const dir =
    scope === 'system'
      ? host.systemUnitDir
      : join(host.env.XDG_CONFIG_HOME || join(homeOf(host), '.config'), 'systemd', 'user');
  return { manager: 'systemd', scope, name, file: join(dir, name) };
}

/** @throws AppError SERVICE_FAILED when no service manager that we know can do it here. */
export function requireManager(host: ServiceHost, scope: ServiceScope): void {
  const refuse = (message: string, fix: string) => new AppError('SERVICE_FAILED', message, { fix });
  if (host.platform === 'darwin') {
    if (scope === 'system') throw refuse('On macOS Sluice runs as an agent of a user', 'Add `--user`.');
    return;
  }
  if (host.platform !== 'linux')
    throw refuse(
      `There is no service manager that Sluice knows on ${host.platform}`,
      'Run `sluice start` from what starts programs there.',
    );
  if (!host.isSystemdRunning) {
    throw refuse(
      `systemd does not run here (the first process is "${host.firstProcess}")`,
      'In a container make `sluice start` its command; elsewhere start `sluice start` from your init system. `sluice service install --print` shows the unit.',
    );
  }
  if (scope === 'system' && host.uid !== 0) {
    throw refuse(
      'A system service can be changed by root only',
      'Use `sudo`, or add `--user` for a service of your own.',
    );
  }
}

function homeOf(host: ServiceHost): string {
  if (host.env.HOME) return host.env.HOME;
  throw new AppError('SERVICE_FAILED', 'HOME is not set, so the folder of your services is not known', {
    fix: 'Set HOME to your home folder and try again.',
  });
}

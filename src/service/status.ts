/** How the service is, as the service manager sees it; the daemon's own view is `sluice status`. */
import { existsSync } from 'node:fs';
import type { ServiceHost } from './host.ts';
import { call, must, systemctl } from './manager-command.ts';
import { requireManager, type ServiceAddress, type ServiceScope, serviceAddress } from './service.ts';

export type ServiceState =
  | { readonly at: 'not_installed' }
  | { readonly at: 'running' | 'starting' | 'stopping'; readonly pid?: number; readonly text?: string }
  | { readonly at: 'stopped' }
  /** `result` as the manager calls it: `exit-code`, `watchdog`, `timeout`. */
  | { readonly at: 'failed'; readonly result: string };

export interface ServiceStatus {
  readonly address: ServiceAddress;
  readonly state: ServiceState;
  /** It starts with the machine, or with its user's session. */
  readonly enabled: boolean;
}

/** @throws AppError SERVICE_FAILED when there is no service manager, or it does not answer. */
export async function serviceStatus(o: {
  readonly scope: ServiceScope;
  readonly projectDir: string;
  readonly host: ServiceHost;
}): Promise<ServiceStatus> {
  const { scope, projectDir, host } = o;
  // Asking needs no root.
  requireManager({ ...host, uid: 0 }, scope);
  const address = serviceAddress({ projectDir, scope, host });
  if (!existsSync(address.file)) return { address, state: { at: 'not_installed' }, enabled: false };
  if (address.manager === 'launchd') {
    const { exitCode, stdout } = await call(host, ['launchctl', 'print', `gui/${host.uid}/${address.name}`]);
    return {
      address,
      state: exitCode === 0 ? launchdState(stdout) : { at: 'stopped' },
      enabled: exitCode === 0,
    };
  }
  const properties = 'LoadState,ActiveState,MainPID,StatusText,UnitFileState,Result';
  const show = await must(
    host,
    systemctl(scope, 'show', `--property=${properties}`, address.name),
    'Look whether systemd answers: `systemctl is-system-running`.',
  );
  const found = new Map(
    show.stdout.split('\n').map((row) => [row.slice(0, row.indexOf('=')), row.slice(row.indexOf('=') + 1)]),
  );
  return { address, state: systemdState(found), enabled: found.get('UnitFileState') === 'enabled' };
}

function systemdState(found: ReadonlyMap<string, string>): ServiceState {
  const pid = Number(found.get('MainPID'));
  const text = found.get('StatusText');
  const process = { ...(pid > 0 && { pid }), ...(text && { text }) };
  switch (found.get('ActiveState')) {
    case 'active':
    case 'reloading':
      return { at: 'running', ...process };
    case 'activating':
      return { at: 'starting', ...process };
    case 'deactivating':
      return { at: 'stopping', ...process };
    case 'failed':
      return { at: 'failed', result: found.get('Result') || 'unknown' };
    default:
      return { at: 'stopped' };
  }
}

function launchdState(printed: string): ServiceState {
  const pid = Number(/^\s*pid = (\d+)$/m.exec(printed)?.[1]);
  if (pid > 0) return { at: 'running', pid };
  const exit = /^\s*last exit code = (\d+)/m.exec(printed)?.[1];
  return exit === undefined || exit === '0'
    ? { at: 'stopped' }
    : { at: 'failed', result: `exit-code ${exit}` };
}

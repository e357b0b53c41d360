/**
 * Makes the daemon a service of systemd or launchd, removes it, and asks how it is. What would be written can be printed
 * first. The unit is written here and not by `systemctl edit`, so that the same text is tested and shipped.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/config.ts';
import { contains } from '../config/contains.ts';
import { AppError, messageOf } from '../types/errors.ts';
import { agentHomes } from './agent-homes.ts';
import type { ServiceHost } from './host.ts';
import { call, must, systemctl } from './manager-command.ts';
import { openNotifySocket } from './notify-socket.ts';
import { formatPlist } from './plist.ts';
import { requireAccess, requireUser } from './run-as.ts';
import { requireManager, type ServiceAddress, type ServiceScope, serviceAddress } from './service.ts';
import { formatUnit } from './unit.ts';

export interface ServiceOptions {
  readonly scope: ServiceScope;
  readonly config: Pick<Config, 'projectDir' | 'file' | 'stateDir' | 'output' | 'roots' | 'agents'>;
  readonly host: ServiceHost;
  /** Change nothing; the result says what would be done. */
  readonly print?: boolean;
}

export interface InstallOptions extends ServiceOptions {
  /** System scope: the user it runs as. */
  readonly runAs?: string;
  /** Default: the Node that runs now, and the launcher of this installation. */
  readonly node?: string;
  readonly script?: string;
}

export interface ServiceChange {
  readonly address: ServiceAddress;
  /** The file's text; when uninstalling, absent. */
  readonly text?: string;
  /** What is, or would be, called. */
  readonly commands: readonly (readonly string[])[];
  /** Something was changed (or, with `print`, would be). */
  readonly changed: boolean;
  /** What the user has to know or do besides. */
  readonly notes: readonly string[];
}

/** @throws AppError SERVICE_FAILED; USAGE for `runAs` with a service of a user. Installing again updates. */
export async function installService(options: InstallOptions): Promise<ServiceChange> {
  const { scope, config, host, print = false, runAs } = options;
  if (scope === 'user' && runAs !== undefined) {
    throw new AppError('USAGE', '`--run-as` is for system services; a service of a user runs as that user', {
      fix: 'Leave out `--run-as` or `--user`.',
    });
  }
  if (!print) requireManager(host, scope);
  const address = serviceAddress({ projectDir: config.projectDir, scope, host });
  const node = options.node ?? process.execPath;
  const script = options.script ?? fileURLToPath(new URL('../../bin/sluice.js', import.meta.url));
  const isSystemd = address.manager === 'systemd';
  const user =
    isSystemd && scope === 'system'
      ? print
        ? (runAs ?? 'sluice')
        : requireUser({ runAs, projectDir: config.projectDir, host })
      : undefined;
  if (user !== undefined && !print)
    await requireAccess({ host, user, projectDir: config.projectDir, executables: [node, script] });
  const text = isSystemd
    ? formatUnit({
        ...{
          scope,
          node,
          script,
          projectDir: config.projectDir,
          configFile: config.file,
          path: pathOf(host),
        },
        ...(user !== undefined && { user }),
        writable: [
          config.output.dir,
          ...(user === undefined ? [] : await agentHomes({ agents: config.agents, user, host })),
        ].filter((folder) => !contains(config.projectDir, folder)),
        readable: config.roots.map((root) => root.dir),
        notifyAccess: (await canNotify()) ? 'main' : 'all',
      })
    : formatPlist({
        ...{
          label: address.name,
          node,
          script,
          projectDir: config.projectDir,
          configFile: config.file,
          path: pathOf(host),
        },
        logFile: join(config.stateDir, 'logs', 'launchd.log'),
      });
  const before = await readFile(address.file, 'utf8').catch(() => undefined);
  const domain = `gui/${host.uid}`;
  const commands = isSystemd
    ? [
        systemctl(scope, 'daemon-reload'),
        systemctl(scope, 'enable', '--now', address.name),
        ...(before === undefined || before === text ? [] : [systemctl(scope, 'restart', address.name)]),
      ]
    : [
        ...(before === undefined ? [] : [['launchctl', 'bootout', `${domain}/${address.name}`]]),
        ['launchctl', 'bootstrap', domain, address.file],
      ];
  const change = {
    address,
    text,
    commands,
    changed: before !== text,
    notes: notesFor(options, address, user),
  };
  if (print) return change;

  if (!isSystemd) await mkdir(join(config.stateDir, 'logs'), { recursive: true, mode: 0o700 });
  if (before !== text) await replaceFile(address.file, text);
  for (const command of commands) {
    // What is not loaded can not be booted out, and need not be.
    if (command[1] === 'bootout') await call(host, command);
    else await must(host, command, explainStart(address));
  }
  return change;
}

/** @throws AppError SERVICE_FAILED. `changed` is false when there was no such service. Files and results stay. */
export async function uninstallService(options: ServiceOptions): Promise<ServiceChange> {
  const { scope, config, host, print = false } = options;
  if (!print) requireManager(host, scope);
  const address = serviceAddress({ projectDir: config.projectDir, scope, host });
  if (!existsSync(address.file)) return { address, commands: [], changed: false, notes: [] };
  const isSystemd = address.manager === 'systemd';
  const stop = isSystemd
    ? systemctl(scope, 'disable', '--now', address.name)
    : ['launchctl', 'bootout', `gui/${host.uid}/${address.name}`];
  const reload = systemctl(scope, 'daemon-reload');
  const change = { address, commands: isSystemd ? [stop, reload] : [stop], changed: true, notes: [] };
  if (print) return change;
  if (isSystemd) await must(host, stop, `Look at \`${systemctl(scope, 'status', address.name).join(' ')}\`.`);
  else await call(host, stop);
  await rm(address.file, { force: true });
  if (isSystemd) await must(host, reload, 'Run that command again by hand.');
  return change;
}

async function replaceFile(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(temporary, text, { mode: 0o644, flush: true });
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new AppError('SERVICE_FAILED', `Cannot write ${file}: ${messageOf(cause)}`, {
      cause,
      fix: `Make ${dirname(file)} writable, or print the text with \`--print\` and put it there by hand.`,
    });
  }
}

function explainStart({ manager, scope, name }: ServiceAddress): string {
  if (manager === 'launchd')
    return 'Look into `.sluice/logs/launchd.log`, and run `sluice doctor --as-service`.';
  return `Look at \`journalctl ${scope === 'user' ? '--user ' : ''}-u ${name} -n 30\`, and run \`sluice doctor --as-service\`.`;
}

function notesFor(
  { scope, config }: InstallOptions,
  address: ServiceAddress,
  user: string | undefined,
): string[] {
  const notes: string[] = [];
  if (address.manager === 'systemd' && scope === 'user')
    notes.push('It stops when you log out, unless you run `loginctl enable-linger` once.');
  if (user === 'root') notes.push('It runs as root, and so do its agents: the condition RUNS_AS_ROOT stays.');
  const outside = config.roots
    .filter((root) => !contains(config.projectDir, root.dir))
    .map((root) => root.dir);
  if (user !== undefined && outside.length > 0)
    notes.push(
      `User "${user}" has to be able to read ${outside.join(', ')}, which the service sees read-only.`,
    );
  return notes;
}

/** Folders that only exist in this terminal would be stored in vain. */
function pathOf(host: ServiceHost): string {
  const folders = (host.env.PATH ?? '')
    .split(':')
    .filter((folder) => folder.startsWith('/') && !folder.includes('/fnm_multishells/'));
  return [...new Set([...folders, '/usr/local/bin', '/usr/bin', '/bin'])].join(':');
}

async function canNotify(): Promise<boolean> {
  return openNotifySocket('@sluice-probe').then(
    () => true,
    () => false,
  );
}

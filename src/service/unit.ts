/**
 * The text of the systemd unit. Pure. A system unit is confined as far as agents still work (they start processes, open
 * connections, and later sandboxes of their own); a unit of a user can use only what needs no privileges, since systemd
 * refuses to start it otherwise. One fixed unit file was rejected: the project's folder has to be the only writable one.
 */
import { argument, line, word } from './unit-syntax.ts';

export interface UnitOptions {
  readonly scope: 'system' | 'user';
  /** Absolute path of the Node that runs the daemon. */
  readonly node: string;
  /** Absolute path of the program. */
  readonly script: string;
  readonly projectDir: string;
  readonly configFile: string;
  /** System scope: the user the daemon and its agents run as. */
  readonly user?: string;
  /** The PATH on which agents' commands are found: a service has none of your shell's. */
  readonly path: string;
  /** Further places it may write to, such as an output folder outside of the project, and log-ins of agent CLIs. */
  readonly writable?: readonly string[];
  /** Folders it has to see. Those in /tmp rule out a private /tmp. */
  readonly readable?: readonly string[];
  /** `all` only where the daemon has to speak to systemd through a child process. Default `main`. */
  readonly notifyAccess?: 'main' | 'all';
}

export function formatUnit(options: UnitOptions): string {
  const { scope, node, script, projectDir, configFile } = options;
  return `# Written by \`sluice service install\`; your own changes belong into \`systemctl edit\`.
[Unit]
Description=Sluice: agents for the files in ${line(projectDir)}
After=network-online.target
Wants=network-online.target
RequiresMountsFor=${word(projectDir)}
StartLimitIntervalSec=300
StartLimitBurst=10

[Service]
Type=notify
NotifyAccess=${options.notifyAccess ?? 'main'}
ExecStart=${word(node)} ${argument(script)} start --config ${argument(configFile)}
ExecReload=/bin/kill -HUP $MAINPID
WorkingDirectory=${line(projectDir)}
Environment=${word(`PATH=${options.path}`)}
${scope === 'system' && options.user !== undefined ? `User=${line(options.user)}\n` : ''}UMask=0077
TimeoutStartSec=10min
WatchdogSec=30
Restart=on-failure
RestartSec=2
# A faulty configuration does not get better by trying again.
RestartPreventExitStatus=2
# TERM goes to the daemon alone, which ends its agents; what is left after the time-out is killed.
KillMode=mixed
TimeoutStopSec=90
# One agent that uses up the memory must not take the daemon with it.
OOMPolicy=continue
Delegate=yes
TasksMax=2048
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service @mount
SystemCallErrorNumber=EPERM
${scope === 'system' ? confinement(options) : ''}
[Install]
WantedBy=${scope === 'system' ? 'multi-user.target' : 'default.target'}
`;
}

/** What needs the privileges of the system's own manager. */
function confinement({
  projectDir,
  configFile,
  node,
  script,
  writable = [],
  readable = [],
}: UnitOptions): string {
  // A folder that is missing must not keep the daemon from starting: it says so itself.
  const folders = [word(projectDir), ...writable.map((folder) => word(`-${folder}`))];
  const needed = [projectDir, configFile, node, script, ...writable, ...readable];
  const usesTmp = needed.some((path) => /^\/(?:var\/)?tmp(?:\/|$)/.test(path));
  return `
# It can write to what is named here, and nowhere else.
ProtectSystem=strict
ReadWritePaths=${folders.join(' ')}
ProtectHome=read-only
${usesTmp ? '# The project uses /tmp, so it can not have one of its own.\nReadWritePaths=/tmp /var/tmp' : 'PrivateTmp=yes'}
PrivateDevices=yes
ProtectClock=yes
ProtectKernelModules=yes
ProtectProc=invisible
# Not ProtectKernelTunables, ProtectKernelLogs and ProtectHostname: they mount over parts of /proc, and then the kernel
# refuses agents a /proc of their own in their sandbox.
CapabilityBoundingSet=
`;
}

/** The copy for packagers, with the places a package would use. */
export function unitTemplate(): string {
  return formatUnit({
    scope: 'system',
    node: '/usr/bin/node',
    script: '/usr/lib/sluice/bin/sluice.js',
    projectDir: '/var/lib/sluice',
    configFile: '/var/lib/sluice/config/orchestrator.yaml',
    user: 'sluice',
    path: '/usr/local/bin:/usr/bin:/bin',
  });
}

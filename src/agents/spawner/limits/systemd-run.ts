/**
 * Limits by asking the user's own service manager for a scope: for a daemon that was started by hand in a login session.
 * `systemd-run --scope` becomes the command itself, so the pid stays ours; it costs 20 to 50 ms for each attempt.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findCommand } from '../../find-command.ts';
import type { ExitStatus } from '../launcher.ts';
import type { Bounds, Cage, LimitsBackend } from './cage.ts';
import { readNumber } from './group-folders.ts';
import { cpuText, memoryText } from './words.ts';

type Environment = Readonly<Record<string, string>>;

const how = 'systemd-run';
const managerVariables = ['XDG_RUNTIME_DIR', 'DBUS_SESSION_BUS_ADDRESS'] as const;
const probeMs = 3_000;
const probeBounds: Bounds = { cpuPercent: 50, memoryBytes: 64 << 20 };
/** What bubblewrap and shells exit with when what they ran was killed. */
const killedInside = 137;
const groups = '/sys/fs/cgroup';

/** What the helper needs to find the manager. Elsewhere than in a login session only its folder tells that there is one. */
export function managerEnvironment(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of managerVariables) if (env[name] !== undefined) found[name] = env[name];
  const runtimeDir = `/run/user/${process.getuid?.()}`;
  if (found.XDG_RUNTIME_DIR === undefined && existsSync(runtimeDir)) found.XDG_RUNTIME_DIR = runtimeDir;
  return found;
}

/**
 * @param env As `managerEnvironment` gives it.
 * @throws {Error} that says why it does not work.
 */
export function openSystemdRun(env: Environment): LimitsBackend {
  const { XDG_RUNTIME_DIR: runtimeDir } = env;
  if (runtimeDir === undefined || !existsSync(join(runtimeDir, 'systemd')))
    throw new Error('no service manager of this user runs');
  const found = findCommand('systemd-run', '/usr/bin:/bin', '/');
  if (!('file' in found)) throw new Error(found.message);
  const prefix = (bounds: Bounds, commandEnv: Environment) => scope(found.file, env, bounds, commandEnv);
  prove(prefix(probeBounds, {}));
  return {
    name: 'systemd-run',
    folders: [],
    open: (_id, bounds, commandEnv) => cage(bounds, prefix(bounds, commandEnv)),
    close() {},
  };
}

function scope(file: string, env: Environment, bounds: Bounds, commandEnv: Environment): string[] {
  const { cpuPercent, memoryBytes } = bounds;
  const properties = [
    ...(memoryBytes === undefined ? [] : [`MemoryMax=${memoryBytes}`, 'MemorySwapMax=0']),
    ...(cpuPercent === undefined ? [] : [`CPUQuota=${Math.round(cpuPercent * 100) / 100}%`]),
  ].flatMap((property) => ['-p', property]);
  // The variables are for systemd-run alone: with them an agent could start services outside of its scope.
  const set = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const cleared = managerVariables.flatMap((name) => (commandEnv[name] === undefined ? ['-u', name] : []));
  const restored = managerVariables.flatMap((name) =>
    commandEnv[name] === undefined ? [] : [`${name}=${commandEnv[name]}`],
  );
  // `env` would take a path that holds a `=` for one more variable.
  const become = ['/usr/bin/env', ...cleared, ...restored, '/bin/sh', '-c', 'exec "$@"', 'sh'];
  return [
    ...['/usr/bin/env', ...set, file, '--user', '--scope', '--collect', '--quiet'],
    ...properties,
    '--',
    ...become,
  ];
}

/** A manager may answer and still lack the controllers: what arrived in the group is looked at. */
function prove(prefix: readonly string[]): void {
  const look = `d=${groups}$(sed -n 's/^0:://p' /proc/self/cgroup); cat "$d/memory.max" "$d/cpu.max"`;
  const [file = '', ...args] = [...prefix, '/bin/sh', '-c', look];
  const { stdout, stderr, error } = spawnSync(file, args, { encoding: 'utf8', timeout: probeMs, env: {} });
  if (error !== undefined) throw error;
  if (stdout !== `${probeBounds.memoryBytes}\n50000 100000\n`)
    throw new Error(
      stderr.trim() || 'the user has no memory and CPU controllers (`Delegate=` of user@.service)',
    );
}

function cage(bounds: Bounds, prefix: readonly string[]): Cage {
  const { cpuPercent, memoryBytes } = bounds;
  let pid = 0;
  let group: string | undefined;
  let kills = 0;
  let peak: number | undefined;
  let cpuUs: number | undefined;
  /** The scope is gone as soon as it is empty, and with it what could be read there. */
  const look = () => {
    if (group === undefined) {
      const own = readOwnScope(pid);
      if (own === undefined) return;
      group = own;
    }
    kills = readNumber(group, 'memory.events', 'oom_kill') ?? kills;
    peak = readNumber(group, 'memory.peak') ?? peak;
    cpuUs = readNumber(group, 'cpu.stat', 'usage_usec') ?? cpuUs;
  };
  return {
    prefix,
    inForce: {
      ...(cpuPercent === undefined ? {} : { cpu: cpuText(cpuPercent, how) }),
      ...(memoryBytes === undefined ? {} : { memory: memoryText(memoryBytes, how) }),
    },
    enter: (start) => start(),
    started(leader) {
      pid = leader;
    },
    hasRunOut(exit) {
      if (memoryBytes === undefined) return false;
      look();
      // Killed between two looks, its scope is gone: nobody else but the kernel is likely to have sent that signal.
      const isGone = group === undefined || readNumber(group, 'memory.events', 'oom_kill') === undefined;
      return kills > 0 || (exit !== undefined && isGone && isKilled(exit));
    },
    usage() {
      look();
      return {
        ...(peak === undefined ? {} : { peakMemoryBytes: peak }),
        ...(cpuUs === undefined ? {} : { cpuMs: Math.round(cpuUs / 1000) }),
      };
    },
    kill() {},
    remove() {},
  };
}

function isKilled(exit: ExitStatus): boolean {
  return 'signal' in exit ? exit.signal === 'SIGKILL' : exit.exitCode === killedInside;
}

/** Undefined until systemd-run has moved it into a scope of its own. */
function readOwnScope(pid: number): string | undefined {
  try {
    const path = /^0::(.*\/run-[^/]*\.scope)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'latin1'))?.[1];
    return path === undefined ? undefined : join(groups, path);
  } catch {
    return undefined;
  }
}

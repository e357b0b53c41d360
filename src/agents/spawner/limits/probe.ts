/** Finds the best that can hold trees within limits on this machine, by doing it once. Versions of anything prove little. */
import { messageOf } from '../../../types/errors.ts';
import type { LimitsBackend, LimitsBackendName } from './cage.ts';
import { type OwnGroups, readOwnGroups } from './cgroup-table.ts';
import { openCgroup1 } from './cgroup1.ts';
import { openCgroup2 } from './cgroup2.ts';
import { findClaim } from './cgroup2-claim.ts';
import { openSystemdRun } from './systemd-run.ts';
import { openWatched } from './watched.ts';

export interface ProbeOptions {
  readonly tag: string;
  /** It and its descendants may be moved to a leaf of the group they are in. */
  readonly daemonPid: number;
  /** As `managerEnvironment` gives it. */
  readonly managerEnv: Readonly<Record<string, string>>;
  /** `auto`: the best. */
  readonly wanted?: LimitsBackendName | 'auto';
  /** Moves no process and leaves nothing behind: the daemon would do so. */
  readonly isTrial?: boolean;
}

export interface Probed {
  readonly backend: LimitsBackend;
  /** Why a better one is not used. */
  readonly refused: readonly { readonly name: LimitsBackendName; readonly why: string }[];
}

const probeId = 'probe';
const probeBounds = { cpuPercent: 50, memoryBytes: 64 << 20 };

/** Never throws: watching works everywhere. */
export function probeLimits({ wanted = 'auto', ...options }: ProbeOptions): Probed {
  const refused: { name: LimitsBackendName; why: string }[] = [];
  for (const [name, open] of ways(options)) {
    if (wanted !== 'auto' && wanted !== name) continue;
    try {
      return { backend: open(), refused };
    } catch (error) {
      refused.push({ name, why: messageOf(error) });
    }
  }
  return { backend: openWatched(), refused };
}

function ways({
  tag,
  daemonPid,
  managerEnv,
  isTrial = false,
}: ProbeOptions): readonly (readonly [LimitsBackendName, () => LimitsBackend])[] {
  return [
    [
      'cgroup2',
      () => {
        const { unified } = linuxGroups();
        if (unified === undefined) throw new Error('cgroup v2 is not mounted');
        const { base, home, settle } = findClaim(unified, daemonPid);
        if (isTrial) return { ...openWatched(), name: 'cgroup2' };
        settle();
        return tried(openCgroup2({ tag, base, home }));
      },
    ],
    [
      'cgroup1',
      () => {
        const { byController } = linuxGroups();
        const memoryDir = byController.get('memory');
        const cpuDir = byController.get('cpu');
        if (memoryDir === undefined || cpuDir === undefined)
          throw new Error('cgroup v1 is not mounted for memory and cpu');
        return tried(openCgroup1({ tag, memoryDir, cpuDir }));
      },
    ],
    ['systemd-run', () => openSystemdRun(managerEnv)],
    ['watched', openWatched],
  ];
}

function linuxGroups(): OwnGroups {
  if (process.platform !== 'linux') throw new Error(`${process.platform} has no control groups`);
  return readOwnGroups();
}

/** Makes a group with both limits, goes in, comes out, and removes it. */
function tried(backend: LimitsBackend): LimitsBackend {
  try {
    const cage = backend.open(probeId, probeBounds, {});
    try {
      cage.enter(() => {});
    } finally {
      cage.remove();
    }
    backend.close();
    return backend;
  } catch (error) {
    backend.close();
    throw error;
  }
}

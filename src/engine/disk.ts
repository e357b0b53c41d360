/** Free space, looked at every few seconds: below `daemon.min_free_disk` nothing new is started, and `status` says so. */
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../config/config.ts';
import { formatSize } from '../config/size.ts';
import type { Coordinator } from '../coordinator/coordinator.ts';
import { formatBytes } from '../types/bytes.ts';
import type { Conditions } from '../types/condition.ts';

const CHECK_MS = 5_000;

export interface DiskOptions {
  readonly dirs: () => readonly string[];
  readonly config: () => Config;
  readonly conditions: Conditions;
  readonly coordinator: Pick<Coordinator, 'block' | 'unblock'>;
}

export function watchDisk({ dirs, config, conditions, coordinator }: DiskOptions): Disposable {
  const check = (): void => {
    const { minFreeDiskBytes } = config().daemon;
    let isLow = false;
    for (const dir of dirs()) {
      const free = freeBytes(dir);
      if (free !== undefined && free < minFreeDiskBytes) {
        isLow = true;
        conditions.raise({
          code: 'DISK_LOW',
          subject: dir,
          message: `${formatBytes(free)} are free for "${dir}"; below ${formatSize(minFreeDiskBytes)} nothing new is started`,
          fix: 'Make space, or lower `daemon.min_free_disk`; work goes on by itself.',
        });
      } else conditions.clear('DISK_LOW', dir);
    }
    if (isLow) coordinator.block('disk_low');
    else coordinator.unblock('disk_low');
  };
  check();
  const timer = setInterval(check, CHECK_MS);
  timer.unref();
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
    },
  };
}

/** Of the file system that holds, or will hold, the folder. */
function freeBytes(dir: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(dir);
    return bavail * bsize;
  } catch {
    const parent = dirname(dir);
    return parent === dir ? undefined : freeBytes(parent);
  }
}

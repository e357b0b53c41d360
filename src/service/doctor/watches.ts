/** Whether changes can be seen as they happen: the C library, and inotify's limits against what the roots need. */
import { type Dirent, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import { messageOf } from '../../types/errors.ts';
import { type Check, good, warn } from './check.ts';

/** Counting more would make people wait; such trees need a raised limit anyway. */
const maxFolders = 300_000;

export async function checkWatches(config: Pick<Config, 'roots'> | undefined): Promise<Check[]> {
  if (process.platform !== 'linux')
    return [good('native watch', `not on ${process.platform}; the portable watcher is used`)];
  return [await checkFfi(), ...checkLimits(config)];
}

async function checkFfi(): Promise<Check> {
  const name = 'native watch';
  try {
    const { default: koffi } = await import('koffi');
    koffi.load(null).func('int inotify_init1(int)');
    return good(name, 'inotify through the C library');
  } catch (error) {
    return warn(
      name,
      `the C library can not be called (${messageOf(error)}); the portable watcher is used`,
      'npm rebuild koffi',
    );
  }
}

function checkLimits(config: Pick<Config, 'roots'> | undefined): Check[] {
  const maxWatches = readNumber('/proc/sys/fs/inotify/max_user_watches');
  const maxInstances = readNumber('/proc/sys/fs/inotify/max_user_instances');
  if (maxWatches === undefined || maxInstances === undefined) return [];
  const used = usedByThisUser();
  const counted = countFolders((config?.roots ?? []).map((root) => root.dir));
  const needed = `${counted.exact ? '' : 'more than '}${counted.folders}`;
  const message = `${used.watches} of ${maxWatches} watches are used; the roots have ${needed} folders`;
  const enough = 2 ** Math.ceil(Math.log2(Math.max(524_288, 2 * (used.watches + counted.folders))));
  const watches =
    used.watches + counted.folders > maxWatches || !counted.exact
      ? warn(
          'inotify watches',
          `${message}: those without a watch would be swept instead`,
          `echo fs.inotify.max_user_watches=${enough} | sudo tee /etc/sysctl.d/60-sluice.conf && sudo sysctl --system`,
        )
      : good('inotify watches', message);
  const instances =
    used.instances >= maxInstances
      ? warn(
          'inotify instances',
          `all ${maxInstances} are used`,
          'echo fs.inotify.max_user_instances=1024 | sudo tee /etc/sysctl.d/61-sluice.conf && sudo sysctl --system',
        )
      : good('inotify instances', `${used.instances} of ${maxInstances} are used`);
  return [watches, instances];
}

/** The limits are per user, so the watches of all processes of this user count. What we may not look at is left out. */
function usedByThisUser(): { watches: number; instances: number } {
  const used = { watches: 0, instances: 0 };
  const uid = process.getuid?.();
  for (const pid of list('/proc').filter((name) => /^\d+$/.test(name))) {
    const dir = join('/proc', pid);
    if (attempt(() => statSync(dir).uid) !== uid) continue;
    for (const fd of list(join(dir, 'fd'))) {
      if (attempt(() => readlinkSync(join(dir, 'fd', fd))) !== 'anon_inode:inotify') continue;
      used.instances += 1;
      used.watches +=
        attempt(() => readFileSync(join(dir, 'fdinfo', fd), 'utf8').match(/^inotify wd:/gm)?.length) ?? 0;
    }
  }
  return used;
}

/** Folders that the default ignore list leaves out are not counted; the project's own patterns would only make it fewer. */
function countFolders(dirs: readonly string[]): { folders: number; exact: boolean } {
  const waiting = [...dirs];
  let folders = 0;
  for (let dir = waiting.pop(); dir !== undefined; dir = waiting.pop()) {
    folders += 1;
    if (folders >= maxFolders) return { folders, exact: false };
    const at = dir;
    for (const entry of attempt((): Dirent[] => readdirSync(at, { withFileTypes: true })) ?? []) {
      if (entry.isDirectory() && !/^(?:\.git|\.hg|\.svn|node_modules|\.sluice)$/.test(entry.name))
        waiting.push(join(at, entry.name));
    }
  }
  return { folders, exact: true };
}

function readNumber(file: string): number | undefined {
  return attempt(() => Number(readFileSync(file, 'utf8')));
}

function list(dir: string): string[] {
  return attempt(() => readdirSync(dir)) ?? [];
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** The project's folders: can they be written, is the ledger safe there, is there room, can the roots be read. */
import {
  accessSync,
  constants,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../../config/config.ts';
import { formatSize } from '../../config/size.ts';
import { isUnsafe, mountOf } from '../../ledger/location.ts';
import { formatBytes } from '../../types/bytes.ts';
import { messageOf } from '../../types/errors.ts';
import { type Check, fail, good, shellWord, warn } from './check.ts';

export function checkFolders(config: Config, now: number): Check[] {
  return [
    checkWritable('project folder', config.projectDir),
    checkWritable('output folder', config.output.dir),
    checkLedger(config.stateDir, now),
    ...[...new Set([config.stateDir, config.output.dir])].map((dir) =>
      checkSpace(dir, config.daemon.minFreeDiskBytes),
    ),
    ...config.roots.map(({ name, dir }) => checkRoot(name, dir)),
  ];
}

/** Tried, not deduced: modes do not tell about read-only mounts, quotas and access lists. */
function checkWritable(name: string, dir: string): Check {
  const place = nearest(dir);
  if (isFile(place)) return notAFolder(name, place);
  try {
    rmdirSync(mkdtempSync(join(place, '.sluice-doctor-')));
    return good(name, place === dir ? `${dir} can be written` : `${dir} will be made`);
  } catch (error) {
    return fail(
      name,
      `${dir} can not be written: ${messageOf(error)}`,
      `sudo chown -R "$(id -un)": ${shellWord(place)}`,
    );
  }
}

function checkLedger(stateDir: string, now: number): Check {
  const name = 'ledger';
  let mounts = '';
  try {
    mounts = readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    // No such list on this platform.
  }
  const mount = mountOf(realpathSync(nearest(stateDir)), mounts);
  if (mount && isUnsafe(mount.type)) {
    return fail(
      name,
      `${stateDir} lies on ${mount.point} (${mount.type}), where the ledger is not safe`,
      `Move the project to a local disk: mv ${shellWord(dirname(stateDir))} /srv/ (the watched folders may stay).`,
    );
  }
  if (isFile(stateDir)) return notAFolder(name, stateDir);
  let written: number[];
  try {
    written = ['ledger.db', 'ledger.db-wal'].map(
      (file) => statSync(join(stateDir, file), { throwIfNoEntry: false })?.mtimeMs ?? 0,
    );
  } catch (error) {
    return fail(
      name,
      `${stateDir} can not be looked into: ${messageOf(error)}`,
      `sudo -u '#${statSync(stateDir).uid}' sluice doctor   # as the user that Sluice runs as`,
    );
  }
  const ahead = Math.max(...written) - now;
  if (ahead > 60_000)
    return warn(
      name,
      `it was written ${Math.round(ahead / 60_000)} minutes in the future: the clock was set back`,
      'sudo timedatectl set-ntp true',
    );
  return good(name, `${stateDir}${mount ? ` on ${mount.type}` : ''}`);
}

function checkSpace(dir: string, minFreeBytes: number): Check {
  const name = 'disk';
  const { bavail, bsize } = statfsSync(nearest(dir));
  const free = bavail * bsize;
  const message = `${formatBytes(free)} are free for ${dir}`;
  const fix = `du -xh --max-depth=1 ${shellWord(nearest(dir))} | sort -h   # then make space, or lower \`daemon.min_free_disk\``;
  if (free < minFreeBytes)
    return fail(name, `${message}; below ${formatSize(minFreeBytes)} no work is started`, fix);
  if (free < 2 * minFreeBytes)
    return warn(name, `${message}; at ${formatSize(minFreeBytes)} work stops`, fix);
  return good(name, message);
}

function checkRoot(root: string, dir: string): Check {
  const name = `root ${root}`;
  if (!existsSync(dir))
    return warn(name, `${dir} does not exist; it is taken up when it appears`, `mkdir -p ${shellWord(dir)}`);
  try {
    accessSync(dir, constants.R_OK | constants.X_OK);
    return good(name, dir);
  } catch (error) {
    return fail(
      name,
      `${dir} can not be read: ${messageOf(error)}`,
      `sudo chmod o+rx ${shellWord(dir)}   # or let its group read it, and join that group`,
    );
  }
}

function isFile(place: string): boolean {
  return existsSync(place) && !statSync(place).isDirectory();
}

function notAFolder(name: string, file: string): Check {
  return fail(
    name,
    `${file} is no folder`,
    `mv ${shellWord(file)} ${shellWord(`${file}.old`)}   # it is then made`,
  );
}

/** The folder itself, or the one in which it would be made. */
function nearest(dir: string): string {
  return existsSync(dir) || dirname(dir) === dir ? dir : nearest(dirname(dir));
}

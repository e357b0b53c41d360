/**
 * Refuses a state folder on a file system where the ledger would not be safe. SQLite's write-ahead log needs memory that
 * is shared between processes and locks that hold: network mounts and the shared folders of virtual machines promise
 * both and keep neither. The kernel's list of mounts is read, since the type that `statfs` gives is `fuse` for half of
 * them. Other platforms have no such list: there the user has to know.
 */
import { readFileSync, realpathSync } from 'node:fs';
import { contains } from '../config/contains.ts';
import { AppError } from '../types/errors.ts';

const UNSAFE = new Set(
  `nfs nfs4 cifs smb2 smb3 smbfs ncpfs afs 9p ceph glusterfs lustre beegfs gpfs coda davfs vboxsf vmhgfs prl_fs
   fuse.sshfs fuse.rclone fuse.s3fs fuse.gcsfuse fuse.glusterfs fuse.ceph fuse.davfs2 fuse.curlftpfs fuse.smbnetfs
   fuse.goofys fuse.mount-s3 fuse.blobfuse fuse.blobfuse2 fuse.juicefs fuse.moosefs fuse.vmhgfs-fuse fuse.gvfsd-fuse`.split(
    /\s+/,
  ),
);

export interface Mount {
  readonly point: string;
  /** As the kernel names it: `ext4`, `nfs4`, `fuse.sshfs`. */
  readonly type: string;
}

/**
 * The mount that holds a folder.
 * @param folder Absolute, without symlinks.
 * @param mountinfo The text of `/proc/self/mountinfo`.
 */
export function mountOf(folder: string, mountinfo: string): Mount | undefined {
  let found: Mount | undefined;
  for (const line of mountinfo.split('\n')) {
    const [left = '', right = ''] = line.split(' - ', 2);
    const point = unescapeOctal(left.split(' ')[4] ?? '');
    const type = right.split(' ')[0] ?? '';
    if (point === '' || type === '' || !contains(point, folder)) continue;
    // A later mount on the same point covers the earlier one.
    if (!found || point.length >= found.point.length) found = { point, type };
  }
  return found;
}

export function isUnsafe(type: string): boolean {
  return UNSAFE.has(type);
}

/** @throws AppError LEDGER_LOCATION. The folder has to exist. */
export function requireLocalFolder(stateDir: string): void {
  const mountinfo = readMounts();
  const mount = mountinfo === undefined ? undefined : mountOf(realpathSync(stateDir), mountinfo);
  if (!mount || !isUnsafe(mount.type)) return;
  throw new AppError(
    'LEDGER_LOCATION',
    `The state folder ${stateDir} lies on ${mount.point}, a file system of type ${mount.type}: the ledger would not be safe there`,
    { fix: 'Put the project on a local disk (the watched folders may stay where they are).' },
  );
}

function readMounts(): string | undefined {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return undefined;
  }
}

/** The kernel writes space, tab, newline and backslash as `\040`. */
function unescapeOctal(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

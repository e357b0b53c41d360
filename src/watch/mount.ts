/**
 * Which file system a folder lies on, and whether it tells us about changes. Answered from /proc/self/mountinfo alone:
 * a probe that writes a file into somebody's folder would itself be a change, and could stay behind.
 */
import { readFileSync } from 'node:fs';

/** File systems whose other side can change files without this kernel knowing. */
const remoteTypes =
  /^(?:nfs\d?|cifs|smb\d?|smbfs|9p|vboxsf|prl_fs|vmhgfs|afs|ceph|lustre|glusterfs|virtiofs|drvfs|davfs\d?|ncpfs|coda|gfs2?|ocfs2|orangefs|beegfs|pvfs2|acfs|autofs|fuse(?:\..+)?)$/;

export interface Mount {
  readonly type: string;
  readonly mountPoint: string;
  /** Changes made elsewhere come without an event. */
  readonly remote: boolean;
}

/** @returns undefined where there is no mount table (macOS). */
export function mountOf(dir: string, table = readMountTable()): Mount | undefined {
  let best: Mount | undefined;
  for (const line of table.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const mountPoint = (before.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, octal) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    const type = after.split(' ')[0] ?? '';
    if (mountPoint === '' || type === '') continue;
    const holds = dir === mountPoint || dir.startsWith(mountPoint === '/' ? '/' : `${mountPoint}/`);
    // A later mount on the same point hides the earlier one.
    if (holds && mountPoint.length >= (best?.mountPoint.length ?? 0))
      best = { type, mountPoint, remote: remoteTypes.test(type) };
  }
  return best;
}

function readMountTable(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}

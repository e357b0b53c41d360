/** Which mount a folder is on, and which kinds of mount are refused. */
import { expect, test } from 'vitest';
import { isUnsafe, mountOf } from '../../src/ledger/location.ts';

const mountinfo = `21 1 253:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
22 21 0:30 / /home rw - btrfs /dev/vdb rw
23 22 0:31 / /home/me/share rw shared:5 master:2 - nfs4 server:/export rw,vers=4.2
24 21 0:32 / /mnt/with\\040space rw - fuse.sshfs me@host:/ rw
25 21 0:33 / /mnt/c rw - 9p C: rw
26 21 0:34 / /covered rw - cifs //nas/share rw
27 21 0:35 / /covered rw - tmpfs tmpfs rw
`;

const table: [folder: string, point: string, type: string, unsafe: boolean][] = [
  ['/', '/', 'ext4', false],
  ['/work/p/.sluice', '/', 'ext4', false],
  ['/home/me/p', '/home', 'btrfs', false],
  ['/homestead/p', '/', 'ext4', false],
  ['/home/me/share', '/home/me/share', 'nfs4', true],
  ['/home/me/share/p/.sluice', '/home/me/share', 'nfs4', true],
  ['/home/me/shared/p', '/home', 'btrfs', false],
  ['/mnt/with space/p', '/mnt/with space', 'fuse.sshfs', true],
  ['/mnt/c/Users/me/p', '/mnt/c', '9p', true],
  ['/covered/p', '/covered', 'tmpfs', false],
];

for (const [folder, point, type, unsafe] of table)
  test(`${folder} is on ${point} (${type})`, () => {
    expect(mountOf(folder, mountinfo)).toEqual({ point, type });
    expect(isUnsafe(type)).toBe(unsafe);
  });

test('kinds of mount', () => {
  for (const type of ['nfs', 'cifs', 'smb3', 'fuse.rclone', 'fuse.s3fs', 'vboxsf', 'ceph', 'afs'])
    expect(isUnsafe(type), type).toBe(true);
  for (const type of [
    'ext4',
    'xfs',
    'btrfs',
    'zfs',
    'overlay',
    'tmpfs',
    'apfs',
    'f2fs',
    'fuseblk',
    'virtiofs',
  ])
    expect(isUnsafe(type), type).toBe(false);
});

test('a text that is no list of mounts tells nothing', () => {
  expect(mountOf('/p', '')).toBeUndefined();
  expect(mountOf('/p', 'garbage\n\n - \n')).toBeUndefined();
});

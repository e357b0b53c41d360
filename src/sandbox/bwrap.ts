/**
 * The command line of bubblewrap, built by ourselves: pure, so that what is confined how can be read and tested. It comes
 * before the words of the command. `--clearenv` is not among it: the environment that agents get is an allow-list already.
 */
import { arrangeMounts, type Mount } from './mounts.ts';

export interface BwrapView {
  /** Absolute path of the program. */
  readonly bwrap: string;
  readonly mounts: Iterable<Mount>;
  /** Working directory. */
  readonly cwd: string;
  readonly network: 'none' | 'allow';
  /** Bound of each empty writable folder; undefined where this bubblewrap cannot set one. */
  readonly scratchBytes?: number;
}

/** Everything up to the command itself. */
export function bwrapPrefix({ bwrap, mounts, cwd, network, scratchBytes }: BwrapView): string[] {
  const arranged = arrangeMounts(mounts);
  const size = scratchBytes === undefined ? [] : ['--size', String(scratchBytes)];
  const readOnlyAtLast: string[] = [];
  const placed = arranged.flatMap((mount) => {
    if (isEmptyFolder(mount) && !(mount.kind === 'empty' && mount.writable)) readOnlyAtLast.push(mount.path);
    return mountArguments(mount, size);
  });
  return [
    bwrap,
    '--unshare-all',
    ...(network === 'allow' ? ['--share-net'] : []),
    ...['--die-with-parent', '--new-session', '--cap-drop', 'ALL'],
    ...['--ro-bind', '/', '/'],
    ...placed,
    // Only now: the places of the mounts in them had to be made.
    ...readOnlyAtLast.flatMap((path) => ['--remount-ro', path]),
    ...['--chdir', cwd, '--'],
  ];
}

function mountArguments(mount: Mount, size: readonly string[]): readonly string[] {
  const { path } = mount;
  switch (mount.kind) {
    case 'system':
      return [mount.path === '/dev' ? '--dev' : '--proc', path];
    case 'empty':
      return [...size, '--tmpfs', path];
    case 'hidden':
      // A device on a mount without devices: opening it is refused, which says more than an empty file would.
      return mount.is === 'folder' ? ['--tmpfs', path] : ['--ro-bind', '/dev/null', path];
    case 'visible':
    case 'protected':
      return ['--ro-bind', path, path];
    case 'writable':
      return ['--bind', path, path];
    case 'replaced':
      return ['--ro-bind', mount.by, path];
    case 'link':
      return ['--symlink', mount.target, path];
    default:
      return mount satisfies never;
  }
}

function isEmptyFolder(mount: Mount): boolean {
  return mount.kind === 'empty' || (mount.kind === 'hidden' && mount.is === 'folder');
}

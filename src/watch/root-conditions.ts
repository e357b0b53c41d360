/** What can be wrong with a root for a while, in words, with what to do about it. */
import type { Condition } from '../types/condition.ts';
import type { ErrorCode } from '../types/error-codes.ts';
import { absolutePath, type WatchedRoot } from './watched-root.ts';

export interface Reporter {
  readonly raise: (condition: Omit<Condition, 'since'>) => void;
  readonly clear: (code: ErrorCode, subject: string) => void;
}

export function reportUnavailable(
  root: WatchedRoot,
  state: 'missing' | 'unreadable',
  why: string,
  to: Reporter,
): void {
  const { name: subject, dir } = root.config;
  if (state === 'missing') {
    to.clear('ROOT_UNREADABLE', subject);
    to.raise({
      code: 'ROOT_MISSING',
      subject,
      message: `Cannot watch "${dir}": ${why}`,
      fix: `Create it (\`mkdir -p '${dir}'\`), or mount what belongs there; it is taken up by itself.`,
    });
  } else {
    to.clear('ROOT_MISSING', subject);
    to.raise({
      code: 'ROOT_UNREADABLE',
      subject,
      message: `Cannot read "${dir}": ${why}`,
      fix: `Give the user Sluice runs as the right to read and enter it (\`ls '${dir}'\` as that user must work).`,
    });
  }
}

/** @param unread Folders below the root that could not be read, with the system's error. */
export function reportUnread(root: WatchedRoot, unread: ReadonlyMap<string, string>, to: Reporter): void {
  const { name } = root.config;
  const [first] = unread;
  if (first === undefined) return to.clear('ROOT_UNREADABLE', name);
  const [folder, why] = first;
  const more = unread.size > 1 ? ` and ${unread.size - 1} more` : '';
  to.raise({
    code: 'ROOT_UNREADABLE',
    subject: name,
    message: `Cannot read "${absolutePath(root, folder)}"${more} in root "${name}": ${why}; the other folders go on`,
    fix: 'Give the user Sluice runs as the right to read it, or list it in `watch.ignore`.',
  });
}

export function reportLimit(root: WatchedRoot, to: Reporter): void {
  const { name } = root.config;
  const { size } = root.unwatched;
  if (size === 0) return to.clear('WATCH_LIMIT', name);
  to.raise({
    code: 'WATCH_LIMIT',
    subject: name,
    message: `Root "${name}": the kernel's inotify watches are used up; ${size} folders are swept every few seconds instead`,
    fix: 'Run `sudo sysctl fs.inotify.max_user_watches=524288` (and put it into /etc/sysctl.d/), or list large folders in `watch.ignore`.',
  });
}

/** Which source a root gets: the one asked for if it can be had, else the best that works on its mount, with the reason. */
import type { WatchMode } from '../config/config.ts';
import type { Mount } from './mount.ts';
import type { RootStatus } from './watcher.ts';

export interface ModeDecision {
  readonly mode: RootStatus['mode'];
  /** Why it is not the best one, or what to expect of it. */
  readonly reason?: string;
  /** The configuration asked for another one: say so with a condition. */
  readonly isFallback: boolean;
}

/** @param nativeMissing Why there is no native watcher here; undefined when there is one. */
export function chooseMode(
  asked: WatchMode,
  mount: Mount | undefined,
  nativeMissing: string | undefined,
): ModeDecision {
  const remote = mount?.remote === true ? `${mount.type} does not report changes made elsewhere` : undefined;
  switch (asked) {
    case 'poll':
    case 'portable':
      return { mode: asked, reason: 'as configured', isFallback: false };
    case 'native':
      if (nativeMissing !== undefined) return { mode: 'portable', reason: nativeMissing, isFallback: true };
      if (remote !== undefined)
        return { mode: 'native', reason: `${remote}; the sweep finds those`, isFallback: false };
      return { mode: 'native', isFallback: false };
    case 'auto':
      if (remote !== undefined) return { mode: 'poll', reason: remote, isFallback: false };
      if (nativeMissing !== undefined) return { mode: 'portable', reason: nativeMissing, isFallback: false };
      return { mode: 'native', isFallback: false };
    default:
      return asked satisfies never;
  }
}

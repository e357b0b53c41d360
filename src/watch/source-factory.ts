/**
 * The sources this machine can have. Native code is loaded here, once, under the crash guard; each source is made when the
 * first root needs it.
 */
import { closeSync } from 'node:fs';
import type { Condition } from '../types/condition.ts';
import { messageOf } from '../types/errors.ts';
import { ChokidarSource } from './chokidar-source.ts';
import { guardCrash } from './crash-guard.ts';
import { InotifySource } from './inotify.ts';
import { createPortableInspector, type Inspector } from './inspector.ts';
import { type Libc, loadLibc } from './libc.ts';
import { createNativeInspector } from './native-inspector.ts';
import { PollSource } from './poll-source.ts';
import type { Hints, Source } from './source.ts';
import type { RootStatus } from './watcher.ts';

export interface SourceFactory extends AsyncDisposable {
  readonly inspector: Inspector;
  /** Why there is no native source; undefined when there is one. */
  readonly nativeMissing: string | undefined;
  /** The kernel has no inotify instance left, so the portable source cannot work either. */
  readonly isExhausted: boolean;
  readonly poll: Source;
  get(mode: RootStatus['mode'], hints: Hints): Source;
}

/** @param load For tests: the C library they want. */
export async function createSources(o: {
  readonly stateDir: string;
  readonly raise: (condition: Omit<Condition, 'since'>) => void;
  readonly load?: () => Promise<Libc>;
}): Promise<SourceFactory> {
  const native = await loadNative(o.stateDir, o.load ?? loadLibc);
  if (native.kind === 'crashed') {
    o.raise({
      code: 'NATIVE_WATCH_CRASHED',
      subject: '',
      message: 'The last start ended while the native watcher was loaded; this time the portable one is used',
      fix: 'Restart to try the native one again. If it happens each time, write `mode: portable` for the roots.',
    });
  }
  const { libc, isExhausted, missing } = native;
  if (isExhausted) {
    o.raise({
      code: 'WATCH_LIMIT',
      subject: '',
      message: "The kernel's inotify instances are used up; roots are swept every few seconds instead",
      fix: 'Run `sudo sysctl fs.inotify.max_user_instances=1024` (and put it into /etc/sysctl.d/), then restart.',
    });
  }
  const made = new Map<RootStatus['mode'], Source>();
  const poll = new PollSource();
  return {
    inspector: libc === undefined ? createPortableInspector() : createNativeInspector(libc),
    nativeMissing: missing,
    isExhausted,
    poll,
    get(mode, hints) {
      const source = made.get(mode) ?? make(mode, hints);
      made.set(mode, source);
      return source;
    },
    async [Symbol.asyncDispose]() {
      for (const source of made.values()) await source[Symbol.asyncDispose]();
    },
  };

  function make(mode: RootStatus['mode'], hints: Hints): Source {
    if (mode === 'poll') return poll;
    if (mode === 'portable') return new ChokidarSource({ hints });
    const fd = libc?.inotifyInit();
    if (libc === undefined || typeof fd !== 'number') return poll;
    return new InotifySource({ libc, fd, hints });
  }
}

interface Native {
  readonly kind: 'loaded' | 'missing' | 'crashed';
  readonly libc?: Libc;
  readonly missing: string | undefined;
  readonly isExhausted: boolean;
}

async function loadNative(stateDir: string, load: () => Promise<Libc>): Promise<Native> {
  try {
    const result = await guardCrash(stateDir, async (): Promise<Native> => {
      const libc = await load();
      const fd = libc.inotifyInit();
      if (typeof fd === 'string') {
        const isExhausted = fd === 'EMFILE' || fd === 'ENFILE';
        return { kind: 'missing', libc, missing: `inotify gave ${fd}`, isExhausted };
      }
      closeSync(fd);
      const failed = libc.statx(-100, stateDir, new Uint32Array(64));
      if (failed !== undefined) throw new Error(`statx gave ${failed}`);
      return { kind: 'loaded', libc, missing: undefined, isExhausted: false };
    });
    if (result !== 'crashed') return result;
    return { kind: 'crashed', missing: 'the native watcher crashed at the last start', isExhausted: false };
  } catch (error) {
    return { kind: 'missing', missing: `no native watcher: ${messageOf(error)}`, isExhausted: false };
  }
}

/**
 * Hot reload: on save and on SIGHUP. The file is validated whole and taken over whole, with an audit row that holds the
 * difference; a broken one changes nothing, and a condition says so until it is mended. Files, and the folders in which
 * workflows are looked for, are looked at once a second: editors save by rename, which loses a watch on the file. Others
 * empty it first and write then: it is read when it has stood still for a moment, since half a file can be valid. Node's
 * `watchFile` was rejected: what was saved before its first look, which comes when the thread pool has time, it never tells.
 */
import { type BigIntStats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import { diffConfig } from '../config/diff.ts';
import { ConfigError, type LoadedConfig } from '../config/load.ts';
import type { OpenLog } from '../logging/log.ts';
import { AppError, messageOf } from '../types/errors.ts';
import type { Engine } from './engine.ts';

const POLL_MS = 1_000;
/** Between two looks at what was saved; the same at both, it is whole. */
const QUIET_MS = 200;
/** Who is never done with it does not keep us from reading it. */
const MOST_LOOKS = 20;
/** By so much the times of files may be behind our clock. */
const COARSE_MS = 100;

/** What a file is at a look: another one, it was saved. */
type Stamp = string;
const NOT_READ: Stamp = 'saved after it was read';

export interface ReloadOptions {
  readonly loaded: LoadedConfig;
  readonly load: (file: string) => Promise<LoadedConfig>;
  readonly engine: Pick<Engine, 'config' | 'conditions' | 'ledger'>;
  readonly log: OpenLog;
  readonly notifier: { reloading(): void; ready(status: string): void };
  readonly apply: (config: Config) => Promise<void>;
}

export interface ConfigWatch extends AsyncDisposable {
  /** @returns how many settings changed. @throws AppError CONFIG_INVALID; the running configuration stays. */
  reload(who: string): Promise<{ changed: number }>;
}

export function watchConfig({ loaded, load, engine, log, notifier, apply }: ReloadOptions): ConfigWatch {
  const { file } = loaded.config;
  /** Of everything that the configuration in force was made from. */
  const seen = new Map<string, Stamp>();
  let turn: Promise<unknown> = Promise.resolve();
  const over = new AbortController();

  /** @param readAt When reading them began, of `Date.now()`. */
  const follow = (next: readonly string[], readAt: number): void => {
    const wanted = new Set(next);
    for (const path of seen.keys()) if (!wanted.has(path)) seen.delete(path);
    // What is looked at already stays as it was seen: what came since is news at the next look.
    for (const path of wanted) if (!seen.has(path)) seen.set(path, stampOfRead(path, readAt));
  };
  const look = async (): Promise<boolean> => {
    let isNews = false;
    for (const path of [...seen.keys()]) {
      const now = stampOf(await stat(path, { bigint: true }).catch(() => undefined));
      const before = seen.get(path);
      if (before === undefined || before === now) continue;
      seen.set(path, now);
      isNews = true;
    }
    return isNews;
  };
  const lookAgainAndAgain = async (): Promise<void> => {
    const options = { ref: false, signal: over.signal };
    for (;;) {
      await sleep(POLL_MS, undefined, options);
      if (!(await look())) continue;
      for (let looks = 1; looks < MOST_LOOKS; looks++) {
        await sleep(QUIET_MS, undefined, options);
        if (!(await look())) break;
      }
      if (over.signal.aborted) return;
      await reload('save').catch(() => {});
    }
  };
  const reload = (who: string): Promise<{ changed: number }> => {
    const done = turn.then(() => reloadOnce(who));
    turn = done.catch(() => {});
    return done;
  };
  const reloadOnce = async (who: string): Promise<{ changed: number }> => {
    const readAt = Date.now();
    try {
      const next = await load(file);
      const changes = diffConfig(engine.config(), next.config);
      follow(next.files, readAt);
      engine.conditions.clear('CONFIG_INVALID');
      if (changes.length === 0) return { changed: 0 };
      notifier.reloading();
      await apply(next.config);
      if (changes.some(({ path }) => path.startsWith('output_settings.log_level')))
        log.setLevel(next.config.output.logLevel);
      log.setMaxBytes(next.config.daemon.maxLogBytes);
      await engine.ledger.audit.append({ type: 'config_reload', who, data: changes });
      log.log.info(
        { who, changes: changes.length },
        `configuration reloaded: ${changes.map(({ path }) => path).join(', ')}`,
      );
      notifier.ready('configuration reloaded');
      return { changed: changes.length };
    } catch (error) {
      // What was read this time is watched too: the mistake may be in a file that was not there before.
      if (error instanceof ConfigError) follow([...seen.keys(), ...error.files], readAt);
      const fix = error instanceof AppError ? error.fix : 'Run `sluice check`.';
      const message =
        error instanceof AppError ? `${error.message}; the running configuration stays` : messageOf(error);
      engine.conditions.raise({ code: 'CONFIG_INVALID', subject: '', message, fix });
      await engine.ledger.audit.append({ type: 'config_refused', who, data: { message: messageOf(error) } });
      throw error;
    }
  };

  follow(loaded.files, loaded.readAt);
  const looking = lookAgainAndAgain().catch(() => {});
  const onHangUp = (): void => void reload('SIGHUP').catch(() => {});
  process.on('SIGHUP', onHangUp);
  return {
    reload,
    async [Symbol.asyncDispose]() {
      over.abort();
      process.off('SIGHUP', onHangUp);
      await looking;
      await turn;
    },
  };
}

/** Of a file that has been read: whether that was before or after its last change is not to be known, it is read again. */
function stampOfRead(path: string, readAt: number): Stamp {
  try {
    const found = statSync(path, { bigint: true });
    return Number(found.ctimeMs) >= readAt - COARSE_MS ? NOT_READ : stampOf(found);
  } catch {
    return stampOf(undefined);
  }
}

function stampOf(found: BigIntStats | undefined): Stamp {
  return found ? `${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}` : 'not to be looked at';
}

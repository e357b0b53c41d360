/**
 * Hot reload: on save and on SIGHUP. The file is validated whole and taken over whole, with an audit row that holds the
 * difference; a broken one changes nothing, and a condition says so until it is mended. Files, and the folders in which
 * workflows are looked for, are looked at by polling once a second: editors save by rename, which loses a watch on the file.
 * Others empty it first and write then: it is read when it has stood still for a moment, since half a file can be valid.
 */
import { type Stats, statSync, unwatchFile, watchFile } from 'node:fs';
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
  let files: readonly string[] = [];
  let turn: Promise<unknown> = Promise.resolve();
  let isOver = false;

  const onSave = (now: Stats, before: Stats): void => {
    // That a path is not there is told once, when it has been looked for.
    if (now.ino === 0 && before.ino === 0) return;
    void standingStill(() => files)
      .then(() => (isOver ? undefined : reload('save')))
      .catch(() => {});
  };
  const follow = (next: readonly string[]): void => {
    // What is watched already stays so: between two looks nothing is lost.
    for (const old of files) if (!next.includes(old)) unwatchFile(old, onSave);
    for (const path of next)
      if (!files.includes(path)) watchFile(path, { interval: POLL_MS, persistent: false }, onSave);
    files = next;
  };
  const reload = (who: string): Promise<{ changed: number }> => {
    const done = turn.then(() => reloadOnce(who));
    turn = done.catch(() => {});
    return done;
  };
  const reloadOnce = async (who: string): Promise<{ changed: number }> => {
    try {
      const next = await load(file);
      const changes = diffConfig(engine.config(), next.config);
      follow(next.files);
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
      if (error instanceof ConfigError) follow([...new Set([...files, ...error.files])]);
      const fix = error instanceof AppError ? error.fix : 'Run `sluice check`.';
      const message =
        error instanceof AppError ? `${error.message}; the running configuration stays` : messageOf(error);
      engine.conditions.raise({ code: 'CONFIG_INVALID', subject: '', message, fix });
      await engine.ledger.audit.append({ type: 'config_refused', who, data: { message: messageOf(error) } });
      throw error;
    }
  };

  follow(loaded.files);
  const onHangUp = (): void => void reload('SIGHUP').catch(() => {});
  process.on('SIGHUP', onHangUp);
  return {
    reload,
    async [Symbol.asyncDispose]() {
      isOver = true;
      process.off('SIGHUP', onHangUp);
      follow([]);
      await turn;
    },
  };
}

async function standingStill(paths: () => readonly string[]): Promise<void> {
  let before = stampsOf(paths());
  for (let looks = 1; looks < MOST_LOOKS; looks++) {
    await sleep(QUIET_MS, undefined, { ref: false });
    const now = stampsOf(paths());
    if (now === before) return;
    before = now;
  }
}

function stampsOf(paths: readonly string[]): string {
  return paths
    .map((path) => {
      const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
      return stat && `${stat.ino} ${stat.size} ${stat.mtimeNs}`;
    })
    .join();
}

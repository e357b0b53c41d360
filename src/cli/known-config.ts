/**
 * The configuration for commands that only look (`why`, `status`) and have to be quick: loading the YAML parser and the
 * checks takes three times as long as an empty program. What was loaded once is kept in `.sluice/`, and is used while
 * nothing that it was made from has changed, by every stamp that a file system keeps. It can be deleted at any time;
 * whoever starts work loads the file itself.
 */
import { lstatSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { Config } from '../config/config.ts';
import type { LoadedConfig } from '../config/load.ts';

/** By so much the times of files may be behind our clock. */
const COARSE_MS = 100;

export interface KnownConfigOptions {
  readonly stateDir: string;
  readonly configFile: string;
  readonly env: NodeJS.ProcessEnv;
  readonly version: string;
  readonly load: () => Promise<LoadedConfig>;
}

interface Snapshot {
  /** What it was made from, besides the files. */
  readonly from: string;
  readonly files: readonly (readonly [path: string, stamp: string])[];
  readonly config: Config;
}

/** @throws ConfigError */
export async function knownConfig(o: KnownConfigOptions): Promise<Config> {
  const file = join(o.stateDir, 'config.snapshot');
  // `agents: auto` finds what stands on PATH.
  const machine = [o.env.HOME, o.env.PATH, availableParallelism()];
  const from = JSON.stringify([o.version, process.version, o.configFile, machine]);
  const known = read(file);
  if (known?.from === from && known.files.every(([path, stamp]) => stampOf(path) === stamp))
    return known.config;
  const { config, files, readAt } = await o.load();
  const stamps = files.map((path) => [path, stampOf(path)] as const);
  // What was saved while it was loaded would make the snapshot wrong.
  if (files.every((path) => isOlder(path, readAt - COARSE_MS))) write(file, { from, files: stamps, config });
  return config;
}

function isOlder(path: string, than: number): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found === undefined || found.ctimeMs < than;
}

/**
 * Of a file; of a folder in which workflows are looked for: what comes and goes changes its times; of one that is not
 * there. Links are followed by `load`, so a link's own stamp would not do.
 */
function stampOf(path: string): string {
  const found = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  if (!found) return 'absent';
  if (!found.isFile() && !found.isDirectory()) return `unknown ${Math.random()}`;
  return [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join('-');
}

function read(file: string): Snapshot | undefined {
  try {
    return deserialize(readFileSync(file)) as Snapshot;
  } catch {
    return undefined;
  }
}

/** A project in which nothing has run has no folder for it, and a disk that is full no space: then it is not kept. */
function write(file: string, snapshot: Snapshot): void {
  const temporary = `${file}.${process.pid}`;
  try {
    writeFileSync(temporary, serialize(snapshot), { mode: 0o600 });
    renameSync(temporary, file);
  } catch {
    // Only slower the next time.
  }
}

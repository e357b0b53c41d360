/** A project, a home with things to protect, and commands that run confined between them. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { SandboxConfig } from '../../src/config/config.ts';
import { probeBwrap } from '../../src/sandbox/probe.ts';
import type { Job, Ran } from './fixtures/confined.ts';

export type Confining = Exclude<SandboxConfig, { mode: 'off' }>;

/** Why tests with a real sandbox cannot run here; undefined when they can. */
export const noSandbox: string | undefined = await probeBwrap(process.env.PATH ?? '').then((probed) =>
  'problem' in probed ? probed.problem.message : undefined,
);
/** As whom: ourselves, and where we are root an ordinary user too. */
export const users: readonly ('self' | 'nobody')[] = process.getuid?.() === 0 ? ['self', 'nobody'] : ['self'];
const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

export const strict: Confining = { mode: 'required', write: [], network: 'none', blocked: [], confirm: [] };

/** A folder that is gone when the test is; path → content, and `path/` for a folder. */
export function tree(
  files: Readonly<Record<string, string>>,
  at = mkdtempSync(join(tmpdir(), 'sluice-sandbox-')),
): string {
  onTestFinished(() => rmSync(at, { recursive: true, force: true }));
  chmodSync(at, 0o755);
  for (const [path, content] of Object.entries(files)) {
    const full = join(at, path);
    mkdirSync(path.endsWith('/') ? full : dirname(full), { recursive: true });
    if (!path.endsWith('/')) writeFileSync(full, content);
  }
  return at;
}

export interface Ask {
  readonly dir: string;
  readonly user?: 'self' | 'nobody';
  readonly sandbox?: Partial<Confining>;
  /** Default: `<dir>/project`, `<dir>/project/inbox`, `<dir>/home`. */
  readonly projectDir?: string;
  readonly rootDirs?: readonly string[];
  readonly home?: string;
  readonly inputs?: readonly string[];
  readonly path?: string;
  readonly protectedPaths?: readonly string[];
  readonly ownPlaces?: readonly string[];
  readonly ownProtected?: readonly string[];
}

/** Runs each shell script (or argument list) confined; waits for all. */
export function confined(ask: Ask, scripts: readonly (string | readonly string[])[]): Ran[] {
  const { dir, user = 'self', sandbox = {}, projectDir = join(dir, 'project') } = ask;
  const { rootDirs = [join(projectDir, 'inbox')], home = join(dir, 'home'), inputs = [] } = ask;
  const {
    path = '/usr/local/bin:/usr/bin:/bin',
    protectedPaths = [],
    ownPlaces = [],
    ownProtected = [],
  } = ask;
  const runs = scripts.map((script) => ({
    argv: typeof script === 'string' ? ['sh', '-c', script] : script,
    sandbox: { ...strict, ...sandbox },
  }));
  const places = { protectedPaths, ownPlaces, ownProtected };
  const job: Job = { projectDir, rootDirs, home, inputs, path, ...places, runs };
  const file = join(dir, 'job.json');
  writeFileSync(file, JSON.stringify(job));
  if (user === 'nobody') execFileSync('chown', ['-R', '65534:65534', dir]);
  const words = [process.execPath, join(import.meta.dirname, 'fixtures/confined.ts'), file];
  const [program = '', ...rest] = user === 'nobody' ? [...nobody, ...words] : words;
  const { status, stdout, stderr } = spawnSync(program, rest, {
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  });
  if (status !== 0) throw new Error(`the confining process ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as Ran[];
}

/** As `confined`, for one script. */
export function confinedOne(ask: Ask, script: string | readonly string[]): Ran {
  return confined(ask, [script])[0] as Ran;
}

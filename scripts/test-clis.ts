/**
 * `npm run test:clis`: installs the real agent CLIs from npm into a cache folder outside the clone, and runs every scenario
 * against them and a stub model server on loopback; nothing is sent anywhere else, no key is needed. What cannot be
 * downloaded is told apart: the others are tested, and the exit code is 3 unless a test failed.
 *
 *   npm run test:clis                    all of them
 *   npm run test:clis -- gemini          one
 *   npm run test:clis -- codex@0.170.0   in another version
 *   SLUICE_CLIS_CACHE=DIR                where they are kept; default: ~/.cache/sluice-clis
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isInstalled, pinnedSpecs, placeOf } from '../test/clis/installed.ts';

const root = join(import.meta.dirname, '..');
const versions = pinnedSpecs();
const words = process.argv.slice(2).map((word) => {
  const [name = '', version] = word.split('@');
  return { word, name, version, isCli: name in versions };
});
const clis = words.filter(({ isCli }) => isCli);
for (const { name, version } of clis)
  if (version !== undefined) versions[name] = versions[name]?.replace(/[^@]*$/, version) as string;
const wanted = clis.map(({ name }) => name);
const names = wanted.length > 0 ? wanted : Object.keys(versions);

/** Without a network npm would try again for a minute, for each of them. */
const patience = ['--fetch-retry-mintimeout=2000', '--fetch-retry-maxtimeout=10000'];
const missing: string[] = [];
const found: Record<string, { readonly bin: string; readonly version: string }> = {};
for (const name of names) {
  const spec = versions[name] as string;
  const bin = install(name, spec);
  if (bin === undefined) missing.push(name);
  else found[name] = { bin, version: spec.slice(spec.lastIndexOf('@') + 1) };
}

const run = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--config',
    'vitest.clis.config.ts',
    ...words.filter(({ isCli }) => !isCli).map(({ word }) => word),
    ...wanted.map((name) => `test/clis/${name}.clis.ts`),
  ],
  { cwd: root, stdio: 'inherit', env: { ...process.env, SLUICE_CLIS: JSON.stringify(found) } },
);
for (const name of missing)
  process.stderr.write(
    `NOT TESTED: ${name}: "${versions[name]}" could not be downloaded (npm's words are above)\n`,
  );
process.exit(run.status !== 0 ? (run.status ?? 1) : missing.length > 0 ? 3 : 0);

/** @returns the folder with its program, on disk already or now; undefined when npm cannot get it. */
function install(name: string, spec: string): string | undefined {
  const { dir, bin, done } = placeOf(spec);
  if (isInstalled(spec)) return bin;
  mkdirSync(dir, { recursive: true });
  // Without one npm looks for a package in the folders above.
  writeFileSync(join(dir, 'package.json'), '{"private":true}\n');
  process.stdout.write(`installing ${spec}\n`);
  const npm = spawnSync(
    'npm',
    ['install', '--no-audit', '--no-fund', '--loglevel=error', ...patience, '--prefix', dir, spec],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
      cwd: dir,
      timeout: 600_000,
    },
  );
  if (npm.status !== 0 || !existsSync(join(bin, name))) return undefined;
  writeFileSync(done, `${spec}\n`);
  return bin;
}

/**
 * `npm run build`: src → dist, bundled into few files. A command that loads two hundred small modules spends most of its
 * time on finding them; bundled, `sluice status` starts in half the time. What is native, large or rarely needed stays a
 * package and is loaded when it is. Types are checked by `npm run check`, not here.
 */
import { globSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';
import { rolldown } from 'rolldown';
import { writeDeclarations } from './declarations.ts';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const KEEP_MS = 24 * 3_600_000;

/**
 * The program, the files that threads and helper processes start from (`src/types/module-path.ts`), and the watcher by
 * itself, which `bench/watch.ts` measures.
 */
const entries = [
  'cli/main',
  'watch/worker',
  'watch/start',
  'agents/spawner/main',
  'agents/builtin-worker',
  'agents/inspect/kinds/syntax-worker',
  'workflows/template-worker',
  'sandbox/hosts-main',
];

/** What others import: `exports` of package.json names them. */
const published = ['agents/plugins/author', 'agents/cli/contract/contract'];

const bundled = [
  'commander',
  'fastest-levenshtein',
  'ignore',
  'lru-cache',
  'p-queue',
  'eventemitter3',
  'p-timeout',
  'picomatch',
  'yaml',
];

/** By itself, without chunks that it shares: it is started hundreds of times by one script. */
const alone = ['cli/state-main'];

const fresh = join(root, `dist.${process.pid}`);
await write([...entries, ...published]);
for (const entry of alone) await write([entry]);
writeDeclarations(join(root, 'src'), join(fresh, 'types'), published);
// File by file, by rename, entries last: a process that starts meanwhile finds whole files. Old chunks stay for a while,
// since a daemon that runs may load one later.
const made = globSync('**/*.{js,d.ts}', { cwd: fresh });
for (const file of made.toSorted((a) => (a.startsWith('chunks/') ? -1 : 1))) {
  mkdirSync(dirname(join(dist, file)), { recursive: true });
  renameSync(join(fresh, file), join(dist, file));
}
rmSync(fresh, { recursive: true });
for (const file of globSync('**/*.{js,ts}', { cwd: dist }))
  if (!made.includes(file) && statSync(join(dist, file)).mtimeMs < Date.now() - KEEP_MS)
    rmSync(join(dist, file));

async function write(names: readonly string[]): Promise<void> {
  const bundle = await rolldown({
    cwd: root,
    platform: 'node',
    input: Object.fromEntries(names.map((name) => [name, `src/${name}.ts`])),
    external: (id) => isPackage(id) && !bundled.some((name) => id === name || id.startsWith(`${name}/`)),
    checks: { circularDependency: false },
  });
  await bundle.write({
    dir: fresh,
    format: 'esm',
    entryFileNames: '[name].js',
    // One folder below dist, as the sources that look for package.json and for entries are below src.
    chunkFileNames: 'chunks/[name]-[hash].js',
  });
  await bundle.close();
}

function isPackage(id: string): boolean {
  return !/^[./]/.test(id) && !id.startsWith('file:') && !builtinModules.includes(id.replace(/^node:/, ''));
}

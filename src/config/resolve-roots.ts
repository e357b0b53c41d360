/** `watch` → roots: absolute, uniquely named, none of them inside what we write ourselves. */
import { realpath, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { RootConfig } from './config.ts';
import { contains } from './contains.ts';
import { defaultIgnore } from './default-ignore.ts';
import { parseDuration } from './duration.ts';
import { frozenSet } from './freeze.ts';
import { type Loose, oneLine, projectPath, type Resolving, refuseReferences } from './resolving.ts';
import type { ConfigFile, RootFile } from './schema.ts';

export async function resolveRoots(
  context: Resolving,
  watch: Loose<ConfigFile['watch']>,
  own: { readonly outputDir: string; readonly stateDir: string },
): Promise<readonly RootConfig[]> {
  const { findings } = context;
  const roots: RootConfig[] = [];
  const names = new Map<string, number>();
  const folders = new Map<string, number>();
  for (const [index, root] of watch.entries()) {
    if (root?.path === undefined) continue;
    const at = ['watch', index];
    refuseReferences(context, [...at, 'path'], root.path);
    const dir = projectPath(context, root.path);
    const found = await stat(dir).catch(() => undefined);
    if (!found)
      findings.warning(
        'ROOT_MISSING',
        [...at, 'path'],
        `the folder "${root.path}" does not exist yet`,
        `It is taken up when it appears: \`mkdir -p '${root.path}'\`.`,
      );
    else if (!found.isDirectory())
      findings.error(
        'BAD_VALUE',
        [...at, 'path'],
        `"${root.path}" is not a folder`,
        'Name the folder that holds the files; rules choose among them.',
      );

    // The same tree under two names would be processed twice.
    const real = found ? await realpath(dir).catch(() => dir) : dir;
    const twin = folders.get(real);
    if (twin !== undefined)
      findings.error(
        'DUPLICATE_NAME',
        [...at, 'path'],
        `the folder "${root.path}" is watched twice (first in line ${findings.lineOf(['watch', twin, 'path'])})`,
        'Remove one of the two; more rules can share one root.',
      );
    folders.set(real, twin ?? index);

    const holder = contains(own.outputDir, dir)
      ? 'default_output_dir'
      : contains(own.stateDir, dir)
        ? '.sluice'
        : undefined;
    if (holder)
      findings.error(
        'CONFLICT',
        [...at, 'path'],
        `"${root.path}" lies in ${holder === '.sluice' ? 'the state folder' : 'the output folder'}: results would be processed again`,
        'Watch another folder, or change `output_settings.default_output_dir`.',
      );

    const name = root.name ?? (oneLine(basename(dir).slice(0, 100)).replaceAll('\\', '·') || 'root');
    const first = names.get(name);
    if (first !== undefined)
      findings.error(
        'DUPLICATE_NAME',
        root.name === undefined ? [...at, 'path'] : [...at, 'name'],
        `the root name "${name}" is taken (line ${findings.lineOf(['watch', first])})`,
        `Give one of the two another name: \`name: ${name}-2\`.`,
      );
    names.set(name, first ?? index);
    roots.push(makeRoot(context, root, index, name, dir));
  }
  return roots;
}

function makeRoot(
  context: Resolving,
  root: Loose<RootFile>,
  index: number,
  name: string,
  dir: string,
): RootConfig {
  const settle = root.settle ?? 'auto';
  const texts = (list: readonly (string | undefined)[]) => list.filter((item) => item !== undefined);
  const builtIn = root.default_ignore ?? true;
  checkReady(context, root.ready, index);
  return {
    name,
    dir,
    ignore: texts(root.ignore ?? []),
    defaultIgnore: typeof builtIn === 'boolean' ? (builtIn ? defaultIgnore : []) : texts(builtIn),
    mode: root.mode ?? 'auto',
    settle: settle === 'auto' ? { kind: 'auto' } : { kind: 'quiet', quietMs: parseDuration(settle) ?? 0 },
    ...(root.ready !== undefined && { ready: root.ready }),
    sweepMs: parseDuration(root.sweep ?? '') ?? 0,
    initial: root.initial ?? 'ask',
    onChange: root.on_change ?? 'queue',
    on: frozenSet((root.on ?? []).filter((type) => type !== undefined)),
  };
}

function checkReady({ findings }: Resolving, ready: string | undefined, index: number): void {
  if (ready === undefined) return;
  const at = ['watch', index, 'ready'];
  const unknown = ready.match(/\{(?!name\}|stem\})[^}]*\}/)?.[0];
  if (unknown)
    findings.error(
      'BAD_VALUE',
      at,
      `the ready marker holds "${unknown}"`,
      'Use `{name}` (file name) or `{stem}` (without its extension).',
    );
  else if (ready.includes('/'))
    findings.error(
      'BAD_VALUE',
      at,
      'the ready marker holds a "/"',
      'A marker stands beside its file: write a name only.',
    );
  else if (!/\{(name|stem)\}/.test(ready))
    findings.error(
      'BAD_VALUE',
      at,
      `the ready marker "${ready}" is the same for every file`,
      'Write `{name}` or `{stem}` in it: `"{name}.done"`.',
    );
  else if (ready === '{name}')
    findings.error(
      'BAD_VALUE',
      at,
      'the ready marker is the file itself',
      'Add something to it: `"{name}.done"`.',
    );
}

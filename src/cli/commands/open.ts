/** `sluice open`: the overview, or the result of a file, in whatever the desktop opens such things with. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { longPlace, resultPlace } from '../../aggregator/places.ts';
import type { Config } from '../../config/config.ts';
import { ownerOf } from '../../operations/why.ts';
import { AppError } from '../../types/errors.ts';
import { printableName } from '../../types/printable-name.ts';
import type { CommandContext } from '../context.ts';
import { printLine } from '../print.ts';

export async function run(
  context: CommandContext,
  [path]: readonly string[],
  { print = false }: { readonly print?: boolean },
): Promise<number> {
  const { config } = await context.load();
  const target = path === undefined ? overviewOf(config) : resultOf(config, resolve(path));
  const opener = print ? undefined : openerOf(context.env);
  if (opener === undefined || !(await start(opener, target))) printLine(printableName(target));
  if (opener === undefined) printLine(pathToFileURL(target).href);
  return 0;
}

function overviewOf({ output }: Config): string {
  const file = join(output.dir, 'index.html');
  if (existsSync(file)) return file;
  throw new AppError('NOT_FOUND', `There is no overview yet: ${file}`, {
    fix: 'Process something first: `sluice run`, or drop a file while `sluice start` runs.',
  });
}

function resultOf({ roots, output }: Config, file: string): string {
  const { root, path } = ownerOf(roots, file);
  for (const place of [resultPlace(output.dir, root.name, path), longPlace(root.name, path)]) {
    const folder = join(output.dir, ...place);
    if (existsSync(join(folder, 'receipt.json'))) return folder;
  }
  throw new AppError('NOT_FOUND', `There is no result for "${file}"`, {
    fix: '`sluice why` with this path says what happened to it.',
  });
}

/** Absent: nobody would see what is opened. */
function openerOf(env: NodeJS.ProcessEnv): string | undefined {
  if (process.platform === 'darwin') return 'open';
  return env.DISPLAY || env.WAYLAND_DISPLAY ? 'xdg-open' : undefined;
}

/** @returns whether the opener could be started; what it shows goes on without us. */
function start(opener: string, target: string): Promise<boolean> {
  return new Promise((done) => {
    const child = spawn(opener, [target], { detached: true, stdio: 'ignore' });
    child.once('error', () => done(false));
    child.once('spawn', () => {
      child.unref();
      done(true);
    });
  });
}

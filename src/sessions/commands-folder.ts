/**
 * The folder that goes in front of an attempt's PATH, with a `sluice` in it: a shell script, since it has to name this
 * package and this Node, whatever the attempt's own PATH leads to, and `exec` costs a millisecond.
 */
import { chmodSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { entryModule } from '../types/module-path.ts';

export interface CommandsFolder {
  readonly dir: string;
  readonly parts: readonly string[];
  readonly node: string;
}

/** Not called `bin`: a sandbox shows what is around a folder of that name, too, where PATH leads to it. */
const NAME = 'commands';

/** @param entry The program, one folder below the package's code. */
export function writeCommands(stateDir: string, entry = ownEntry()): CommandsFolder {
  const dir = join(stateDir, NAME);
  // dist or src, in the package.
  const code = dirname(dirname(entry));
  const packageDir = dirname(code);
  const launcher = join(packageDir, 'bin', 'sluice.js');
  const node = process.execPath;
  const file = join(dir, 'sluice');
  // What is gone is made anew.
  if (!existsSync(file)) {
    mkdirSync(dir, { recursive: true, mode: 0o755 });
    const fresh = join(dir, `.sluice.${process.pid}`);
    writeFileSync(fresh, scriptOf(node, entry, launcher));
    chmodSync(fresh, 0o755);
    renameSync(fresh, file);
  }
  return { dir, parts: [code, join(packageDir, 'package.json'), dirname(launcher)], node };
}

function ownEntry(): string {
  return fileURLToPath(entryModule('cli/state-main'));
}

function scriptOf(node: string, entry: string, launcher: string): string {
  return `#!/bin/sh
# Made by Sluice for its attempts: \`sluice state\` works here by the token of the attempt.
if [ "$1" = state ]; then exec ${quote(node)} ${quote(entry)} "$@"; fi
exec ${quote(node)} ${quote(launcher)} "$@"
`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

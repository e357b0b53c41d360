/** `sluice completion SHELL`: a script made from the program as it is. */
import { bashCompletion } from '../completion/bash.ts';
import { fishCompletion } from '../completion/fish.ts';
import { commandTree } from '../completion/tree.ts';
import { zshCompletion } from '../completion/zsh.ts';
import type { CommandContext } from '../context.ts';
import { createProgram } from '../program.ts';

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

export async function run(_context: CommandContext, [shell]: readonly string[]): Promise<number> {
  process.stdout.write(scripts[shell as keyof typeof scripts](commandTree(createProgram())));
  return 0;
}

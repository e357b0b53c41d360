/** `sluice agents detect`: what this machine has that could work, and the entries that register it. */
import { detectAgents } from '../../../agents/detect/detect.ts';
import type { CommandContext } from '../../context.ts';
import { printJson } from '../../print.ts';

interface DetectCommandOptions {
  readonly write?: boolean;
  readonly json?: boolean;
}

export async function run(
  { env }: CommandContext,
  _args: readonly string[],
  _options: DetectCommandOptions,
): Promise<number> {
  printJson(await detectAgents({ env, projectDir: process.cwd() }));
  return 0;
}

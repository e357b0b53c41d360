/** `sluice resume`: the end of a pause. */
import type { CommandContext } from '../context.ts';
import { printLine } from '../print.ts';

export async function run(context: CommandContext): Promise<number> {
  const daemon = await context.requireDaemon();
  const { state } = await daemon.post<{ state: string }>('/api/control/resume');
  printLine(state);
  return 0;
}

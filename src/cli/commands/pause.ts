/** `sluice pause`: nothing new is started until `sluice resume`; what runs goes on. */
import type { CommandContext } from '../context.ts';
import { printLine } from '../print.ts';

export async function run(context: CommandContext): Promise<number> {
  const daemon = await context.requireDaemon();
  await daemon.post('/api/control/pause');
  printLine('paused: nothing new is started; `sluice resume` goes on');
  return 0;
}

/** `sluice reload`: the configuration is taken over now, whole or not at all. */
import type { CommandContext } from '../context.ts';
import { printLine } from '../print.ts';

export async function run(context: CommandContext): Promise<number> {
  const daemon = await context.requireDaemon();
  // Its errors are shown from here, with their places in the file; the daemon would send one sentence.
  await context.load();
  const { changed } = await daemon.post<{ changed: number }>('/api/control/reload');
  printLine(
    changed === 0
      ? 'nothing has changed'
      : `${changed} ${changed === 1 ? 'setting' : 'settings'} changed; \`sluice config history\` shows them`,
  );
  return 0;
}

/** `sluice jobs approve` and `sluice jobs refuse`: the answer to a command that an agent asks to run. */
import type { CommandContext } from '../../context.ts';
import { printLine } from '../../print.ts';

async function answer(context: CommandContext, id: string, verdict: 'approve' | 'refuse'): Promise<number> {
  const daemon = await context.requireDaemon();
  const { command } = await daemon.post<{ command: string }>(`/api/approvals/${encodeURIComponent(id)}`, {
    verdict,
  });
  printLine(`${verdict === 'approve' ? 'approved' : 'refused'}: ${command}`);
  return 0;
}

export const approve = {
  run: (context: CommandContext, [id = '']: readonly string[]): Promise<number> =>
    answer(context, id, 'approve'),
};
export const refuse = {
  run: (context: CommandContext, [id = '']: readonly string[]): Promise<number> =>
    answer(context, id, 'refuse'),
};

/** `sluice reports rebuild`: the output folder is made to say again what the ledger says. */
import type { Rebuilt } from '../../../aggregator/rebuild.ts';
import type { CommandContext } from '../../context.ts';
import { printJson, printLine, tell } from '../../print.ts';

export async function run(
  context: CommandContext,
  _args: readonly string[],
  { json = false }: { readonly json?: boolean },
): Promise<number> {
  const daemon = await context.daemon();
  const rebuilt = daemon ? await daemon.post<Rebuilt>('/api/control/rebuild-reports') : await alone(context);
  if (json) printJson(rebuilt);
  else {
    const { receipts, results, missing, runs } = rebuilt;
    printLine(`${receipts} receipts, ${results} results and the reports of ${runs} runs were written again`);
    if (missing > 0)
      tell(`${missing} results are nowhere any more: \`sluice run --force PATH\` makes them anew`);
  }
  return rebuilt.missing > 0 ? 1 : 0;
}

async function alone(context: CommandContext): Promise<Rebuilt> {
  const [{ config, secrets }, { openOffline }, { createAggregator }, { createConditionBoard }] =
    await Promise.all([
      context.load(),
      import('../../offline.ts'),
      import('../../../aggregator/aggregator.ts'),
      import('../../../conditions/board.ts'),
    ]);
  await using project = await openOffline(context, 'reports rebuild');
  const { output, projectDir, stateDir } = config;
  await using aggregator = createAggregator({
    output,
    projectDir,
    stateDir,
    ledger: project.ledger,
    redact: secrets.redact,
    conditions: createConditionBoard({ now: Date.now }),
    now: Date.now,
  });
  return await aggregator.rebuild();
}

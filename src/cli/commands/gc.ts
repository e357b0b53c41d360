/** `sluice gc`: what is kept where, and what may go now; through the daemon while one runs. */
import type { GcReport } from '../../operations/gc.ts';
import { formatBytes } from '../../types/bytes.ts';
import { printableName } from '../../types/printable-name.ts';
import type { CommandContext } from '../context.ts';
import { paint } from '../paint.ts';
import { printJson, printLine } from '../print.ts';
import { printTable } from '../table.ts';

export async function run(
  context: CommandContext,
  _args: readonly string[],
  { dryRun = false, json }: { readonly dryRun?: boolean; readonly json?: boolean },
): Promise<number> {
  const report = await collect(context, dryRun);
  if (json) printJson(report);
  else print(report);
  return 0;
}

async function collect(context: CommandContext, dryRun: boolean): Promise<GcReport> {
  const daemon = await context.daemon();
  if (daemon) return daemon.post<GcReport>('/api/control/gc', { dry_run: dryRun });
  const [{ config }, { gc, measure }, { hasLedger, openSqliteLedger }] = await Promise.all([
    context.load(),
    import('../../operations/gc.ts'),
    import('../../ledger/sqlite/open.ts'),
  ]);
  const now = Date.now();
  if (!hasLedger(config.stateDir))
    return { dry_run: dryRun, kept: await measure(config), removed: [], freed_bytes: 0 };
  if (dryRun) {
    await using ledger = openSqliteLedger({ stateDir: config.stateDir, readOnly: true }).ledger;
    return await gc({ config, ledger, dryRun, now });
  }
  const { openOffline } = await import('../offline.ts');
  await using offline = await openOffline(context, 'gc');
  return await gc({ config, ledger: offline.ledger, dryRun, now });
}

function print({ kept, removed, freed_bytes: freed, dry_run: isDry }: GcReport): void {
  printTable(kept, [
    { title: 'kept', cell: ({ what }) => what },
    { title: 'bytes', cell: ({ bytes }) => formatBytes(bytes), align: 'right' },
    { title: 'where', cell: ({ path }) => printableName(path), cut: 'start' },
  ]);
  printLine();
  if (removed.length > 0)
    printTable(removed, [
      { title: isDry ? 'would go' : 'gone', cell: ({ what }) => what },
      { title: 'number', cell: ({ items }) => String(items), align: 'right' },
      { title: 'bytes', cell: ({ bytes }) => formatBytes(bytes), align: 'right' },
    ]);
  const words = isDry ? 'would be freed (nothing was removed)' : 'were freed';
  printLine(`${paint('bold', formatBytes(freed))} ${words}`);
}

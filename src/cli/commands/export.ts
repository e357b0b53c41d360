/** `sluice export FILE`: a backup, made while the daemon works. */
import type { CommandContext } from '../context.ts';
import { printJson, printLine } from '../print.ts';
import { readVersion } from '../version.ts';

export async function run(
  context: CommandContext,
  [file = '']: readonly string[],
  { json }: { readonly json?: boolean },
): Promise<number> {
  const [loaded, { exportProject }, { hasLedger, openSqliteLedger }, { formatBytes }] = await Promise.all([
    context.load(),
    import('../../operations/export.ts'),
    import('../../ledger/sqlite/open.ts'),
    import('../../types/bytes.ts'),
  ]);
  const { stateDir } = loaded.config;
  await using opened = new AsyncDisposableStack();
  const ledger = hasLedger(stateDir)
    ? opened.use(openSqliteLedger({ stateDir, readOnly: true }).ledger)
    : undefined;
  const report = await exportProject({ loaded, version: readVersion(), file, ...(ledger && { ledger }) });
  if (json) printJson(report);
  else {
    printLine(`${report.files} files (${formatBytes(report.bytes)}) → ${report.file}`);
    if (report.without_results)
      printLine(`without the results: ${loaded.config.output.dir} lies outside of the project`);
  }
  return 0;
}

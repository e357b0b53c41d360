/** `sluice undo`: through the daemon when one runs, in the ledger and the tree otherwise. */
import type { UndoReport } from '../../operations/undo.ts';
import { printableName } from '../../types/printable-name.ts';
import type { CommandContext } from '../context.ts';
import { jobTarget } from '../job-target.ts';
import { printJson, printLine } from '../print.ts';

interface UndoCliOptions {
  readonly force?: boolean;
  readonly json?: boolean;
}

export async function run(
  context: CommandContext,
  [named = '']: readonly string[],
  { force = false, json = false }: UndoCliOptions,
): Promise<number> {
  const prefix = await jobTarget(context, named);
  const daemon = await context.daemon();
  const report = daemon
    ? await daemon.post<UndoReport>(`/api/jobs/${encodeURIComponent(prefix)}/undo`, { force })
    : await offline(context, prefix, force);
  if (json) printJson(report);
  else print(report);
  return report.kept.length > 0 ? 1 : 0;
}

async function offline(context: CommandContext, prefix: string, force: boolean): Promise<UndoReport> {
  const [{ openOffline }, { findJob }, { undo }, { openWorkspaces }, config] = await Promise.all([
    import('../offline.ts'),
    import('../../operations/find-job.ts'),
    import('../../operations/undo.ts'),
    import('../../engine/workspaces.ts'),
    context.config(),
  ]);
  await using project = await openOffline(context, 'undo');
  const conditions = { raise: () => {}, clear: () => {} };
  const workspaces = openWorkspaces({ config: () => config, conditions, now: Date.now });
  const { ledger } = project;
  // Awaited here: the project is closed on return.
  return await undo({ ledger, workspaces }, await findJob(ledger, prefix), force);
}

const reasons = {
  changed: 'it changed since (`--force` puts it back all the same)',
  in_the_way: 'something else stands there now',
};

function print({ job_id: id, restored, kept }: UndoReport): void {
  for (const path of restored) printLine(`put back  ${printableName(path)}`);
  for (const { path, why } of kept) printLine(`left      ${printableName(path)}: ${reasons[why]}`);
  if (restored.length === 0 && kept.length === 0) printLine(`job ${id}: nothing had to be put back`);
}

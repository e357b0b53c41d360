/** A run that this command waits for: one of the daemon, or one that it works through itself. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { reportNames, runPlace } from '../../../aggregator/runs/places.ts';
import type { RunReport } from '../../../aggregator/runs/report.ts';
import type { RunView } from '../../../operations/workflows/views.ts';
import type { FollowedRun, WorkflowOperations } from '../../../operations/workflows/workflow-operations.ts';
import type { Client } from '../../client.ts';
import type { CommandContext } from '../../context.ts';
import { followWorkflow } from '../../follow-workflow.ts';
import type { RunFiles } from '../../print-workflow.ts';

interface Options {
  readonly json: boolean;
}

export async function followInDaemon(
  context: CommandContext,
  daemon: Client,
  id: string,
  options: Options,
  stop: AbortSignal,
): Promise<number> {
  const place = `/api/runs/${encodeURIComponent(id)}`;
  return followWorkflow(
    {
      id,
      follow: (after) => daemon.get<FollowedRun>(`${place}/progress`, { after }),
      report: () => daemon.get<RunReport>(place),
      files: await filesOf(context),
      canBeAnswered: true,
      whenStopped: `the daemon goes on with it: sluice workflow show ${id}`,
    },
    options,
    stop,
  );
}

/** Nobody can answer beside this command, since it holds the project: it ends where a person is asked. */
export async function followAlone(
  context: CommandContext,
  begin: (workflows: WorkflowOperations) => Promise<RunView>,
  options: Options,
  stop: AbortSignal,
): Promise<number> {
  const { openAlone } = await import('../../alone.ts');
  await using project = await openAlone(context, 'workflow run', stop);
  const { workflows } = project.operations;
  const { run_id: id } = await begin(workflows);
  return await followWorkflow(
    {
      id,
      follow: (after) => workflows.follow(id, after),
      report: () => workflows.show(id),
      files: await filesOf(context),
      canBeAnswered: false,
      whenStopped: `go on with it: sluice workflow resume ${id}`,
    },
    options,
    stop,
  );
}

/** Where the report of a run stands, when it does. */
export async function filesOf(context: CommandContext): Promise<(report: RunReport) => RunFiles | undefined> {
  const config = await context.config().catch((): undefined => undefined);
  return ({ workflow, run_id: id }) => {
    if (!config) return undefined;
    const report = join(config.output.dir, ...runPlace({ workflow, id }), reportNames.html);
    return existsSync(report) ? { report } : undefined;
  };
}

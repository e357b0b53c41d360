/** `sluice workflow cancel | resume | approve | reject`: to the daemon; without one, what goes on afterwards goes on here. */
import type { RunView } from '../../../operations/workflows/views.ts';
import type { WorkflowOperations } from '../../../operations/workflows/workflow-operations.ts';
import type { CommandContext } from '../../context.ts';
import { untilSignal } from '../../follow-run.ts';
import { printLine } from '../../print.ts';
import { followAlone, followInDaemon } from './follow.ts';

interface Options {
  readonly comment?: string;
  readonly detach?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

const WHO = 'the owner';

export const cancel = {
  async run(context: CommandContext, [part = '']: readonly string[]): Promise<number> {
    const daemon = await context.daemon();
    const ended = daemon
      ? await daemon.post<RunView>(`/api/runs/${encodeURIComponent(part)}/cancel`)
      : await untilSignal((stop) => cancelAlone(context, part, stop));
    printLine(`cancelled ${ended.run_id}`);
    return 0;
  },
};

export const resume = {
  run(context: CommandContext, [part = 'latest']: readonly string[], options: Options): Promise<number> {
    const { detach = false, force = false, json = false } = options;
    return untilSignal(async (stop) => {
      const daemon = await context.daemon();
      if (!daemon) return followAlone(context, (workflows) => goOn(workflows, part, force), { json }, stop);
      const { run_id: id } = await daemon.post<RunView>(`/api/runs/${encodeURIComponent(part)}/resume`, {
        force,
      });
      if (!detach) return followInDaemon(context, daemon, id, { json }, stop);
      printLine(id);
      return 0;
    });
  },
};

/** One that a process left open goes on by itself as soon as the project is opened: it is followed. */
async function goOn(workflows: WorkflowOperations, part: string, force: boolean): Promise<RunView> {
  const { run } = await workflows.follow(part, 0);
  return run.ended_at === undefined ? run : workflows.resume(part, force);
}

export const approve = { run: answerWith('approved') };
export const reject = { run: answerWith('rejected') };

function answerWith(verdict: 'approved' | 'rejected') {
  return (
    context: CommandContext,
    [part = 'waiting', step]: readonly string[],
    { comment, json = false }: Options,
  ): Promise<number> =>
    untilSignal(async (stop) => {
      const answer = {
        verdict,
        ...(step !== undefined && { step }),
        ...(comment !== undefined && { comment }),
      };
      const daemon = await context.daemon();
      if (daemon) {
        const place = `/api/runs/${encodeURIComponent(part)}/answer`;
        const said = await daemon.post<{ run_id: string; step: string }>(place, answer);
        printLine(`${verdict} ${said.step} of ${said.run_id}`);
        return 0;
      }
      const begin = async (workflows: WorkflowOperations): Promise<RunView> => {
        const said = await workflows.answer(part, { ...answer, who: WHO });
        if (!json) printLine(`${verdict} ${said.step} of ${said.run_id}`);
        return (await workflows.follow(said.run_id, 0)).run;
      };
      return followAlone(context, begin, { json }, stop);
    });
}

/** Steps that were under way when an earlier process ended are not begun once more in order to be cancelled. */
async function cancelAlone(context: CommandContext, part: string, stop: AbortSignal): Promise<RunView> {
  const { openAlone } = await import('../../alone.ts');
  await using project = await openAlone(context, 'workflow', stop, { isPaused: true });
  const { operations } = project;
  const { run_id: id } = await operations.workflows.cancel(part, WHO);
  operations.resume();
  // Nobody else would bring it to its end.
  return await operations.workflows.done(id);
}

/** `sluice workflow run`: through the daemon when one runs, by itself otherwise; the same progress and outcome either way. */
import { resolve } from 'node:path';
import type { RunView } from '../../../operations/workflows/views.ts';
import type { StartRequest } from '../../../operations/workflows/workflow-operations.ts';
import { AppError } from '../../../types/errors.ts';
import { nestingOf } from '../../../types/nesting.ts';
import type { CommandContext } from '../../context.ts';
import { untilSignal } from '../../follow-run.ts';
import { printJson, printLine, tell } from '../../print.ts';
import { followAlone, followInDaemon } from './follow.ts';

interface RunOptions {
  readonly input?: readonly string[];
  readonly file?: string;
  readonly detach?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

export async function run(
  context: CommandContext,
  [name]: readonly string[],
  { input = [], file, detach = false, force, json = false }: RunOptions,
): Promise<number> {
  if ((name === undefined) === (file === undefined))
    throw new AppError('USAGE', 'Name a workflow, or a file with `--file`, not both', {
      fix: 'See `sluice workflow list`.',
    });
  const { depth } = nestingOf(context.env);
  const request: StartRequest = {
    ...(name !== undefined && { workflow: name }),
    ...(file !== undefined && { file: resolve(file) }),
    inputs: inputsOf(input),
    ...(force && { force }),
    ...(depth > 0 && { depth }),
  };
  const daemon = await context.daemon();
  if (!daemon && detach)
    throw new AppError(
      'NOT_RUNNING',
      '`--detach` leaves the run to a daemon, and none runs for this project',
      {
        fix: 'Start one with `sluice start`, or leave `--detach` away.',
      },
    );
  return untilSignal(async (stop) => {
    if (!daemon) return followAlone(context, (workflows) => workflows.start(request), { json }, stop);
    const started = await daemon.post<RunView>('/api/runs', request);
    if (!detach) return followInDaemon(context, daemon, started.run_id, { json }, stop);
    if (json) printJson(started);
    else printLine(started.run_id);
    if (!json) tell(`sluice workflow show ${started.run_id}`);
    return 0;
  });
}

/** `name=value`, as often as there are inputs. */
function inputsOf(texts: readonly string[]): Readonly<Record<string, string>> {
  const entries = texts.map((text): [string, string] => {
    const at = text.indexOf('=');
    if (at < 1)
      throw new AppError('USAGE', `"${text}" is no value of \`--input\``, {
        fix: 'Write `--input name=value`.',
      });
    return [text.slice(0, at), text.slice(at + 1)];
  });
  return Object.fromEntries(entries);
}

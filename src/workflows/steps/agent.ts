/** A prompt for an agent, about a file or without one. */
import { resolve } from 'node:path';
import { fingerprint } from '../../cache/fingerprint.ts';
import type { AgentStep } from '../../config/workflow.ts';
import { formatStamp } from '../../types/change.ts';
import { printableName } from '../../types/printable-name.ts';
import type { StepTask } from '../../types/step-task.ts';
import type { Renderer } from '../rendering.ts';
import { failed, type RunContext, type Unit, type UnitEnd } from '../unit.ts';
import { runJob } from './job.ts';

export function runAgent(context: RunContext, unit: Unit<AgentStep>): Promise<UnitEnd> {
  const { agents: candidates, select, cache, prompt } = unit.step;
  return runJob(context, unit, async (render) => {
    const file = await fileFor(context, unit, render);
    if (file && 'end' in file) return file;
    const text = prompt === undefined ? undefined : await render.text(prompt);
    const bytes = file?.bytes ?? (text === undefined ? undefined : Buffer.byteLength(text));
    const agents = await context.deps.selectAgents(candidates, select, bytes);
    return {
      work: {
        kind: 'agent',
        agents: agents.length > 0 ? agents : candidates,
        ...(text !== undefined && { prompt: text }),
      },
      isShared: cache,
      ...(file && { file }),
    };
  });
}

/** The file that the step names, else the one that started the run. */
async function fileFor(
  { run, deps }: RunContext,
  { step, signal }: Unit<AgentStep>,
  render: Renderer,
): Promise<NonNullable<StepTask['file']> | { readonly end: UnitEnd } | undefined> {
  const { trigger } = run;
  const named = step.inputFile === undefined ? undefined : await render.text(step.inputFile);
  if (named === '')
    return {
      end: failed(
        'input_gone',
        `${step.inputFile} names no file`,
        'Say with `if` when there is nothing to do.',
      ),
    };
  const own = trigger.kind === 'file' ? resolve(trigger.file.rootDir, trigger.file.path) : undefined;
  const path = named === undefined ? own : resolve(deps.config.projectDir, named);
  if (path === undefined) return undefined;
  const read = await fingerprint(path, signal);
  const shown = printableName(path);
  switch (read.kind) {
    case 'read':
      return { path, sha256: read.sha256, bytes: read.stamp.size, stamp: formatStamp(read.stamp) };
    case 'gone':
      return { end: failed('input_gone', `there is no file ${shown}`, 'Look at what should have made it.') };
    case 'unreadable':
      return { end: failed('input_unreadable', `${shown} cannot be read: ${read.message}`) };
    case 'changing':
      return {
        end: failed(
          'input_unreadable',
          `${shown} is being written to`,
          'Let the step that writes it end before this one begins.',
        ),
      };
    default:
      return read satisfies never;
  }
}

/** A command line in the project folder. Cached only where the step names what it reads. */
import { literal } from '../../agents/placeholders.ts';
import type { CommandStep } from '../../config/workflow.ts';
import { renderArguments } from '../../expressions/expressions.ts';
import { failed, type RunContext, type Unit, type UnitEnd } from '../unit.ts';
import { runJob } from './job.ts';

export function runCommand(context: RunContext, unit: Unit<CommandStep>): Promise<UnitEnd> {
  const { command: words, sandbox, cacheInputs } = unit.step;
  return runJob(context, unit, async (render) => {
    // Names in values are written as `types/path-bytes.ts` says; the command's own characters mean themselves.
    const templates = words.map((word) => context.scope.template(literal(word)));
    const scope = await render.scopeOf(templates);
    const command: string[] = [];
    for (const template of templates) command.push(...(await renderArguments(template, scope)));
    if (!command[0])
      return {
        end: failed(
          'expression',
          `its command is empty: ${words[0]} gives nothing`,
          'Let `command` begin with the name of a program.',
        ),
      };
    const isShared = cacheInputs !== undefined;
    return {
      work: { kind: 'command', command, sandbox },
      isShared,
      ...(isShared && { inputsSha256: await context.deps.files.access.hash(cacheInputs) }),
    };
  });
}

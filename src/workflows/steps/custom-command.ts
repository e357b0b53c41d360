/** A command line in the project folder. Cached only where the step names what it reads. */
import { literal } from '../../agents/placeholders.ts';
import type { CommandStep } from '../../config/workflow.ts';
import { renderArguments, renderText } from '../../expressions/expressions.ts';
import type { Renderer } from '../rendering.ts';
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
    const work = { kind: 'command', command, sandbox } as const;
    if (cacheInputs === undefined) return { work, isShared: false };
    const globs: string[] = [];
    for (const glob of cacheInputs) globs.push(await globOf(context, render, glob));
    return { work, isShared: true, inputsSha256: await context.deps.files.access.hash(globs) };
  });
}

/** What is filled in is a name: a glob that misses `a[1].csv` would find nothing, and an old result would pass for its own. */
async function globOf({ scope }: RunContext, render: Renderer, text: string): Promise<string> {
  const template = scope.template(text);
  const values = await render.scopeOf([template]);
  let glob = '';
  for (const part of template.parts)
    glob +=
      part.kind === 'text'
        ? part.text
        : literalGlob(await renderText({ text, parts: [part], isWhole: true }, values));
  return glob;
}

/** A backslash as a class of characters: before a letter it would look like the separator of another system. */
function literalGlob(name: string): string {
  return name.replace(/[*?[\](){}!+@|"^$\\]/g, (char) => (char === '\\' ? '[\\\\]' : `\\${char}`));
}

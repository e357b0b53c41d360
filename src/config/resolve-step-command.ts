/** `custom_command`: the owner's own command line, in the project folder. */
import { checkTemplate } from '../expressions/expressions.ts';
import { checkPattern } from './check-pattern.ts';
import type { SandboxConfig } from './config.ts';
import { resolveCommand, warnUnlessFound } from './resolve-command.ts';
import { resolveSandbox } from './resolve-sandbox.ts';
import { reportProblems, type StepOf, type StepPlace } from './step-texts.ts';

/** A `custom_command` is the owner's own command line. */
export const commandSandbox: SandboxConfig = {
  mode: 'auto',
  write: ['project'],
  network: 'allow',
  blocked: [],
  confirm: [],
};

export async function resolveCommandStep(place: StepPlace, step: StepOf<'custom_command'>) {
  const { context, at, known } = place;
  const here = [...at, 'command'];
  const written = step.command;
  const parts = typeof written === 'string' ? [written] : (written ?? []);
  for (const [index, word] of parts.entries())
    if (word !== undefined)
      reportProblems(
        context,
        typeof written === 'string' ? here : [...here, index],
        word,
        checkTemplate(word, known.item),
      );
  const command =
    written === undefined ? [] : resolveCommand({ ...context, checkPlaceholders: undefined }, here, written);
  if (command.length > 0) await warnUnlessFound(context, here, command[0] as string, []);
  const inputs = step.cache?.inputs?.filter((glob) => glob !== undefined);
  for (const [index, glob] of (inputs ?? []).entries()) {
    const problem = glob.includes('${{') ? undefined : checkPattern(glob, 'the project folder');
    if (problem)
      context.findings.error('BAD_PATTERN', [...at, 'cache', 'inputs', index], problem.message, problem.fix);
    reportProblems(context, [...at, 'cache', 'inputs', index], glob, checkTemplate(glob, known.item));
  }
  const sandbox = step.sandbox
    ? await resolveSandbox(context, [...at, 'sandbox'], step.sandbox)
    : commandSandbox;
  if (sandbox.mode !== 'off' && sandbox.write.includes('workspace'))
    context.findings.error(
      'CONFLICT',
      [...at, 'sandbox', 'write', step.sandbox?.write?.indexOf('workspace') ?? 0],
      '`workspace` means nothing here: a step works in the project folder',
      'Write `project`, or the folders that it needs.',
    );
  return { type: step.type as 'custom_command', command, sandbox, ...(inputs && { cacheInputs: inputs }) };
}

/** `custom_command`: the owner's own command line, in the project folder. */
import { checkPattern } from './check-pattern.ts';
import type { SandboxConfig } from './config.ts';
import { resolveCommand, warnUnlessFound } from './resolve-command.ts';
import { resolveSandbox } from './resolve-sandbox.ts';
import { checkText, type StepOf, type StepPlace } from './step-texts.ts';

/** A `custom_command` is the owner's own command line. */
export const commandSandbox: SandboxConfig = {
  mode: 'auto',
  write: ['project'],
  network: 'allow',
  blocked: [],
  confirm: [],
};

export async function resolveCommandStep(place: StepPlace, step: StepOf<'custom_command'>) {
  const { context, at } = place;
  const inputs = step.cache?.inputs?.filter((glob) => glob !== undefined);
  for (const [index, glob] of (inputs ?? []).entries()) {
    const here = [...at, 'cache', 'inputs', index];
    const problem = glob.includes('${{') ? undefined : checkPattern(glob, 'the project folder');
    if (problem) context.findings.error('BAD_PATTERN', here, problem.message, problem.fix);
    checkText(place, here, glob);
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
  return {
    type: step.type as 'custom_command',
    command: await resolveWords(place, step.command),
    sandbox,
    ...(inputs && { cacheInputs: inputs }),
  };
}

async function resolveWords(
  place: StepPlace,
  written: StepOf<'custom_command'>['command'],
): Promise<readonly string[]> {
  const { context, programs } = place;
  const at = [...place.at, 'command'];
  if (written === undefined) return [];
  const before = context.findings.list.length;
  if (typeof written === 'string') checkText(place, at, written);
  else
    for (const [index, word] of written.entries())
      if (word !== undefined) checkText(place, [...at, index], word);
  // A text that cannot be read as a template cannot be split either.
  if (context.findings.list.length > before) return [];
  const command = resolveCommand({ ...context, checkPlaceholders: undefined }, at, written);
  const [program] = command;
  // Told once: a workflow of a thousand steps calls the same few programs.
  if (program !== undefined && !programs.has(program)) await warnUnlessFound(context, at, program, []);
  if (program !== undefined) programs.add(program);
  return command;
}

/** `agent`: who gets the work, what it is told and on which file. */
import { checkTemplate } from '../expressions/expressions.ts';
import type { SelectionPolicy } from './config.ts';
import { readNamedFile } from './named-file.ts';
import { warnOfReaders } from './resolve-expect.ts';
import { capableAgents, namedAgents } from './resolve-target.ts';
import { projectPath, refuseReferences } from './resolving.ts';
import { checkText, inFile, refuseBoth, type StepOf, type StepPlace } from './step-texts.ts';

export async function resolveAgentStep(place: StepPlace, step: StepOf<'agent'>) {
  const { at, agents: known } = place;
  const { findings } = place.context;
  const agents = resolveCandidates(place, step) ?? [];
  const prompt = await resolvePrompt(place, step);
  const kinds = agents.map((name) => known.get(name)?.kind);
  const only = (kind: string) => kinds.length > 0 && kinds.every((one) => one === kind);
  if (prompt !== undefined && only('builtin'))
    findings.add(
      'error',
      'CONFLICT',
      { path: [...at, step.prompt === undefined ? 'prompt_file' : 'prompt'], key: true },
      `the prompt has no effect: the builtin agent "${agents[0]}" takes none`,
      'Remove it, or name another agent.',
    );
  if (
    findings.has([...at, 'env']) &&
    kinds.length > 0 &&
    kinds.every((kind) => kind === 'http' || kind === 'builtin')
  )
    findings.add(
      'error',
      'CONFLICT',
      { path: [...at, 'env'], key: true },
      `\`env\` has no effect: the agent "${agents[0]}" starts no program`,
      'Remove it.',
    );
  const outputs = (step.expect?.outputs ?? []).filter((output) => output !== undefined);
  warnOfReaders(
    place.context,
    { outputs },
    [...at, 'expect'],
    agents.map((name) => known.get(name)),
  );
  if (step.file !== undefined) {
    refuseReferences(place.context, [...at, 'file'], step.file);
    checkText(place, [...place.at, 'file'], step.file, ['text']);
  }
  return {
    type: step.type as 'agent',
    agents,
    select: (step.select ?? (agents.length > 1 ? 'least_loaded' : 'in_order')) as SelectionPolicy,
    ...(prompt !== undefined && { prompt }),
    ...(step.file !== undefined && { inputFile: step.file }),
    cache: step.cache ?? true,
  };
}

function resolveCandidates(
  { context, at, agents }: StepPlace,
  step: StepOf<'agent'>,
): readonly string[] | undefined {
  const { findings } = context;
  const owner = `step "${step.name ?? ''}"`;
  if (step.agent !== undefined && step.capabilities !== undefined) {
    findings.add(
      'error',
      'CONFLICT',
      { path: [...at, 'capabilities'], key: true },
      `${owner} has \`agent\` and \`capabilities\``,
      'Keep one of the two.',
    );
    return undefined;
  }
  if (step.agent === undefined && step.capabilities === undefined) {
    // What is written and not here any more has been reported.
    if (!findings.has([...at, 'agent']) && !findings.has([...at, 'capabilities']))
      findings.add(
        'error',
        'MISSING_KEY',
        { path: at, key: true },
        `${owner} names no agent`,
        'Add `agent: NAME`, or `capabilities: […]`.',
      );
    return undefined;
  }
  const found =
    step.agent === undefined
      ? capableAgents(context, step.capabilities ?? [], [...at, 'capabilities'], owner, agents)
      : namedAgents(context, step.agent, [...at, 'agent'], owner, agents);
  if (step.select !== undefined && found?.length === 1)
    findings.add(
      'error',
      'CONFLICT',
      { path: [...at, 'select'], key: true },
      `\`select\` has no effect in ${owner}: only the agent "${found[0]}" comes into question`,
      'Remove it, or name several agents: `agent: [a, b]`.',
    );
  return found;
}

async function resolvePrompt(place: StepPlace, step: StepOf<'agent'>): Promise<string | undefined> {
  const { context, at, known } = place;
  if (step.prompt !== undefined && step.prompt_file !== undefined) refuseBoth(place, 'prompt', 'prompt_file');
  if (step.prompt !== undefined) {
    checkText(place, [...place.at, 'prompt'], step.prompt);
    return step.prompt;
  }
  if (step.prompt_file === undefined) return undefined;
  const text = await readNamedFile(context, [...at, 'prompt_file'], step.prompt_file);
  if (text === undefined) return undefined;
  const own = inFile(context, projectPath(context, step.prompt_file), text);
  for (const { message, at: start, length, fix } of checkTemplate(text, known('item', text)))
    own.add('error', 'BAD_EXPRESSION', { start, end: start + length }, message, fix);
  return text;
}

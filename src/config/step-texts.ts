/** A step where it stands in its file, and the checks of its texts: every `${{ … }}` in them must be one that can be filled in. */
import { checkTemplate, type Kind, type Known } from '../expressions/expressions.ts';
import { holdsTemplate } from './resolve-inputs.ts';
import type { KnownAgents } from './resolve-target.ts';
import type { Loose, Resolving } from './resolving.ts';
import type { StepFile } from './schema-workflow.ts';
import { Findings, type Path } from './source.ts';
import type { WorkflowInput } from './workflow.ts';

export type StepOf<T extends StepFile['type']> = Loose<Extract<StepFile, { type: T }>>;

/** Another workflow, as far as a step that calls it must know it. */
export interface CalledWorkflow {
  readonly name: string;
  readonly inputs: readonly WorkflowInput[];
}

export interface StepPlace {
  /** With the findings of the workflow's file. */
  readonly context: Resolving;
  /** Of the step. */
  readonly at: Path;
  /** The workflow's file. */
  readonly file: string;
  readonly agents: KnownAgents;
  readonly workflows: {
    find(name: string): CalledWorkflow | 'broken' | undefined;
    readonly names: readonly string[];
  };
  /** What can be read: once per step (`if`, `for_each`), per item (what is done), and when it has a result (`outputs`). */
  readonly known: {
    readonly once: Known;
    readonly condition: Known;
    readonly item: Known;
    readonly result: Known;
  };
}

export function refuseBoth({ context: { findings }, at }: StepPlace, one: string, other: string): void {
  findings.add(
    'error',
    'CONFLICT',
    { path: [...at, other], key: true },
    `both \`${one}\` (line ${findings.lineOf([...at, one])}) and \`${other}\` (line ${findings.lineOf([...at, other])}) are given`,
    'Keep one of the two.',
  );
}

/** The same context, where `${{ … }}` is filled in for each item. */
export function inItem({ context, known }: StepPlace): Resolving {
  return {
    ...context,
    checkTemplate: (path, text) => reportProblems(context, path, text, checkTemplate(text, known.item)),
  };
}

export function checkText(
  { context, at, known }: StepPlace,
  keys: Path,
  text: string,
  expected?: readonly Kind[],
): void {
  reportProblems(context, [...at, ...keys], text, checkTemplate(text, known.item, expected));
}

/** JSON whose texts are templates. */
export function checkDeep(context: Resolving, at: Path, value: unknown, known: Known): void {
  if (typeof value === 'string') reportProblems(context, at, value, checkTemplate(value, known));
  else if (typeof value === 'object' && value !== null && holdsTemplate(value))
    for (const [key, inner] of Array.isArray(value) ? value.entries() : Object.entries(value))
      checkDeep(context, [...at, key], inner, known);
}

export function reportProblems(
  { findings }: Resolving,
  at: Path,
  text: string,
  problems: ReturnType<typeof checkTemplate>,
): void {
  for (const { message, at: start, length, fix } of problems)
    findings.errorWithin('BAD_EXPRESSION', at, { text, at: start, length }, message, fix);
}

/** Findings about a file of its own that holds nothing but this text. */
export function inFile(context: Resolving, file: string, text: string): Findings {
  const findings = new Findings(file, text, { value: { start: 0, end: text.length } });
  context.others.push(findings);
  return findings;
}

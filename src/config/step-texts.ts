/** A step where it stands in its file, and the checks of its texts: every `${{ … }}` in them must be one that can be filled in. */
import { checkTemplate, type Kind, type Known } from '../expressions/expressions.ts';
import type { ReviewTerms } from './config.ts';
import { holdsTemplate } from './resolve-inputs.ts';
import type { KnownAgents } from './resolve-target.ts';
import type { Loose, Resolving } from './resolving.ts';
import type { StepFile } from './schema-workflow.ts';
import { Findings, type Path } from './source.ts';
import type { VisibleStep } from './step-scope.ts';
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
  /** What holds of reviews where a step says nothing. */
  readonly reviews: ReviewTerms;
  /** Steps that have ended when this one begins, by name; and the names of all. */
  readonly stepsBefore: ReadonlyMap<string, Pick<VisibleStep, 'name' | 'type' | 'hasItems'>>;
  readonly stepNames: ReadonlySet<string>;
  /** Programs that were looked for already. */
  readonly programs: Set<string>;
  /** What this text can read there. */
  known(where: Where, text: string): Known;
}

/** A text of a step is read once (`if`, `for_each`), per item (what is done, and with which `env`), or when there is a result (`outputs`). */
export type Where = 'condition' | 'once' | 'item' | 'result' | 'env';

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
export function inItem(place: StepPlace, where: Where = 'item'): Resolving {
  return { ...place.context, checkTemplate: (at, text) => checkText(place, at, text, undefined, where) };
}

/** @param at Of the text. @param expected What its value may be; default: anything. */
export function checkText(
  { context, known }: StepPlace,
  at: Path,
  text: string,
  expected?: readonly Kind[],
  where: Where = 'item',
): void {
  if (text.includes('${{'))
    reportProblems(context, at, text, checkTemplate(text, known(where, text), expected));
}

/** JSON whose texts are templates. */
export function checkDeep(place: StepPlace, at: Path, value: unknown, where: Where = 'item'): void {
  if (typeof value === 'string') checkText(place, at, value, undefined, where);
  else if (typeof value === 'object' && value !== null && holdsTemplate(value))
    for (const [key, inner] of Array.isArray(value) ? value.entries() : Object.entries(value))
      checkDeep(place, [...at, key], inner, where);
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

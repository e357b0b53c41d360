/** What values are, as text and as truth, and how much of them one evaluation may make. */
import type { Value } from './scope.ts';
import type { Kind } from './shapes.ts';

/** Most that one evaluation makes, in characters: texts, and what lists and objects are as JSON. */
export const maxValueLength = 16 * 1024 * 1024;
/** Deepest nesting of lists and objects that is turned into a text or read from one. */
const maxNesting = 256;

/** Why a value cannot be made; becomes an `ExpressionError` where it was asked for. */
export class ValueProblem extends Error {
  override readonly name = 'ValueProblem';
  readonly fix: string;

  constructor(message: string, fix: string) {
    super(message);
    this.fix = fix;
  }
}

/** Counts what one evaluation makes, so that no chain of calls can fill the memory. */
export class Budget {
  #left = maxValueLength;

  spend(length: number): void {
    this.#left -= length;
    if (this.#left < 0)
      throw new ValueProblem(
        `its values take more than ${maxValueLength / 1024 / 1024} MiB`,
        'Let a step write them to a file, and read that file in the next one.',
      );
  }
}

export function kindOf(value: Value | undefined): Kind | 'null' {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return 'text';
  if (typeof value === 'number') return 'number';
  if (typeof value === 'boolean') return 'boolean';
  return Array.isArray(value) ? 'list' : 'object';
}

/** null, false, 0 and '' are false, and nothing else. */
export function isTrue(value: Value): boolean {
  return value !== null && value !== false && value !== 0 && value !== '';
}

/** Texts as they are, numbers and booleans plain, null as nothing, lists and objects as JSON. */
export function textOf(value: Value, budget: Budget): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'object') return toJson(value, budget);
  const text = String(value);
  budget.spend(text.length);
  return text;
}

/** Measured first, so that nothing huge is made only to be refused. */
export function toJson(value: Value, budget: Budget): string {
  measure(value, new Budget());
  const json = JSON.stringify(value) ?? 'null';
  budget.spend(json.length);
  return json;
}

export function fromJson(text: string, budget: Budget): Value {
  budget.spend(text.length);
  let value: Value;
  try {
    value = JSON.parse(text) as Value;
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    const start = JSON.stringify(text.slice(0, 60)) + (text.length > 60 ? '…' : '');
    throw new ValueProblem(
      `${start} is no JSON: ${detail}`,
      'Look at what made it; a program may have printed something else besides.',
    );
  }
  measure(value, new Budget());
  return value;
}

/** Walks without recursion: values come from programs and may nest as deep as they like. */
function measure(root: Value, budget: Budget): void {
  const open: { readonly value: Value; readonly depth: number }[] = [{ value: root, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next;
    if (typeof value === 'string') budget.spend(value.length + 2);
    else if (typeof value === 'number') {
      budget.spend(1);
      if (!Number.isFinite(value))
        throw new ValueProblem('it holds a number that is too large', 'Write it as a text.');
    } else if (typeof value === 'object' && value !== null) {
      if (depth >= maxNesting)
        throw new ValueProblem(`it is nested deeper than ${maxNesting} levels`, 'Make it flatter.');
      if (Array.isArray(value)) {
        budget.spend(value.length + 2);
        for (const item of value as readonly Value[]) open.push({ value: item, depth: depth + 1 });
      } else
        for (const [key, item] of Object.entries(value)) {
          budget.spend(key.length + 4);
          open.push({ value: item, depth: depth + 1 });
        }
    } else budget.spend(1);
  }
}

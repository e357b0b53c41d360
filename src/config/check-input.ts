/**
 * Values for the inputs of a workflow: what a value becomes, or why it cannot be one. The same when a file is checked
 * (`default`, `with`, schedules) and when a run is started.
 */
import type { WorkflowInput } from './workflow.ts';

export type ConvertedInput = { readonly value: unknown } | { readonly problem: string; readonly fix: string };

/** Texts are read as what the input is: that is how they come from a command line, and out of expressions. */
export function convertInput({ name, type, options = [] }: WorkflowInput, given: unknown): ConvertedInput {
  const refuse = (what: string, fix: string): ConvertedInput => ({
    problem: `input "${name}" must be ${what}, found ${shorten(given)}`,
    fix,
  });
  switch (type) {
    case 'string':
      return typeof given === 'string'
        ? { value: given }
        : refuse(
            'text',
            given === null ? 'Write "" for no text.' : `Put it in quotes: \`${name}: ${quoted(given)}\`.`,
          );
    case 'number': {
      if (typeof given === 'number' && Number.isFinite(given)) return { value: given };
      const isNumber =
        typeof given === 'string' && /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(given.trim());
      const value = isNumber ? Number(given) : Number.NaN;
      return Number.isFinite(value) ? { value } : refuse('a number', `Write one such as \`${name}: 10\`.`);
    }
    case 'boolean':
      if (typeof given === 'boolean') return { value: given };
      return given === 'true' || given === 'false'
        ? { value: given === 'true' }
        : refuse('true or false', `Write \`${name}: true\` or \`${name}: false\`.`);
    case 'choice':
      return typeof given === 'string' && options.includes(given)
        ? { value: given }
        : refuse(`one of ${options.join(', ')}`, `Allowed: ${options.join(', ')}.`);
    case 'json':
      if (typeof given !== 'string') return { value: given };
      try {
        return { value: JSON.parse(given) as unknown };
      } catch {
        return refuse('JSON', `Write text in quotes as JSON does: \`'"text"'\`.`);
      }
    default:
      return type satisfies never;
  }
}

function shorten(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function quoted(value: unknown): string {
  return typeof value === 'object' ? '"…"' : JSON.stringify(String(value));
}

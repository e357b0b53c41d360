/**
 * The text of a configuration file, and the findings about it. Reading refuses what cannot be a configuration (folders,
 * devices, binary files, more than 1 MiB) with a sentence, before a parser sees it.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { AppError, messageOf, systemCode } from '../types/errors.ts';
import { ConfigError, type Diagnostic, type DiagnosticCode } from './diagnostic.ts';
import { sourceOffset } from './scalar-offset.ts';
import type { Located, Span } from './yaml.ts';

export type Path = readonly (string | number)[];

const maxBytes = 1024 * 1024;
const shownColumns = 100;

/**
 * @returns The text without a byte order mark.
 * @throws AppError CONFIG_NOT_FOUND, or ConfigError when the file is no text.
 */
export async function readSource(file: string): Promise<string> {
  const refuse = (message: string, fix: string) =>
    new ConfigError(file, [
      { code: 'UNREADABLE', severity: 'error', file, line: 1, column: 1, message, snippet: '', fix },
    ]);
  let bytes: Buffer;
  try {
    // Without O_NONBLOCK opening a FIFO would wait for a writer.
    await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await handle.stat();
    if (stat.isDirectory())
      throw refuse(
        'this is a folder, not a file',
        'Name the file in it: `--config FOLDER/orchestrator.yaml`.',
      );
    if (!stat.isFile()) throw refuse('this is no regular file', 'Name a YAML or JSON file.');
    if (stat.size > maxBytes)
      throw refuse(
        `the file is larger than 1 MiB (${stat.size} bytes)`,
        'Name a configuration file; long prompts belong into `prompt_file`.',
      );
    bytes = await handle.readFile();
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR')
      throw new AppError('CONFIG_NOT_FOUND', `There is no file "${file}"`, {
        cause: error,
        fix: 'Check the path.',
      });
    throw refuse(
      `the file cannot be read: ${messageOf(error)}`,
      'Give the user that runs Sluice permission to read it.',
    );
  }
  if (bytes.includes(0)) throw refuse('this is a binary file', 'Save it as UTF-8 text.');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refuse('the file is not valid UTF-8', 'Save it as UTF-8 text.');
  }
}

/** Collects findings; positions are made from paths into the data. */
export class Findings {
  readonly list: Diagnostic[] = [];
  /** Absolute. */
  readonly file: string;
  private readonly text: string;
  private readonly located: Located;
  private readonly lineStarts: number[] = [0];

  constructor(file: string, text: string, located: Located) {
    this.file = file;
    this.text = text;
    this.located = located;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.lineStarts.push(at + 1);
  }

  /** @param at A place in the text; or a path, whose value (or, with `key`, its key) is marked. */
  add(
    severity: Diagnostic['severity'],
    code: DiagnosticCode,
    at: Span | { readonly path: Path; readonly key?: boolean },
    message: string,
    fix: string,
  ): void {
    const span = 'path' in at ? this.spanOf(at.path, at.key === true) : at;
    const { line, column } = this.position(span.start);
    this.list.push({
      code,
      severity,
      file: this.file,
      line,
      column,
      message: printable(message),
      snippet: this.snippet(span, line, column),
      fix: printable(fix),
    });
  }

  error(code: DiagnosticCode, path: Path, message: string, fix: string): void {
    this.add('error', code, { path }, message, fix);
  }

  /** An error inside of a text: what is meant begins at an offset into the value that stands at `path`. */
  errorWithin(
    code: DiagnosticCode,
    path: Path,
    within: { readonly text: string; readonly at: number; readonly length: number },
    message: string,
    fix: string,
  ): void {
    let here: Located | undefined = this.located;
    for (const part of path) here = here?.children?.get(String(part));
    const source = here && this.text.slice(here.value.start, here.value.end);
    if (here === undefined || !source) {
      this.error(code, path, message, fix);
      return;
    }
    const last = within.at + Math.max(1, within.length) - 1;
    const [from, to] = [within.at, last].map((at) => sourceOffset(source, within.text, at)) as [
      number,
      number,
    ];
    const start = here.value.start + from;
    this.add('error', code, { start, end: Math.max(start, here.value.start + to) + 1 }, message, fix);
  }

  warning(code: DiagnosticCode, path: Path, message: string, fix: string): void {
    this.add('warning', code, { path }, message, fix);
  }

  get hasErrors(): boolean {
    return this.list.some((found) => found.severity === 'error');
  }

  /** Whether a path is written in the file: defaults are not. */
  has(path: Path): boolean {
    let here: Located | undefined = this.located;
    for (const part of path) here = here?.children?.get(String(part));
    return here !== undefined;
  }

  /** 1-based line of a path's key or value. */
  lineOf(path: Path): number {
    return this.position(this.spanOf(path, true).start).line;
  }

  /** In the order of the file. */
  sorted(): readonly Diagnostic[] {
    return this.list.toSorted((a, b) => a.line - b.line || a.column - b.column);
  }

  /** The innermost part of the path that is written in the file. */
  private spanOf(path: Path, preferKey: boolean): Span {
    let here = this.located;
    for (const part of path) {
      const next = here.children?.get(String(part));
      if (!next) {
        preferKey = true;
        break;
      }
      here = next;
    }
    const { key, value, children } = here;
    // A block that begins below its key, and an empty value, are named by the key.
    const below = this.position(value.start).line > this.position(key?.start ?? value.start).line;
    if (key && (preferKey || below || value.end <= value.start)) return key;
    // The item of a list that is a block of its own begins with its first key.
    const first = children?.values().next().value?.key;
    return first?.start === value.start ? first : value;
  }

  private position(offset: number): { line: number; column: number } {
    let low = 0;
    let high = this.lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.lineStarts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.lineStarts[low] as number) + 1 };
  }

  private snippet(span: Span, line: number, column: number): string {
    const start = this.lineStarts[line - 1] as number;
    const end = this.lineStarts[line];
    const whole = this.text.slice(start, end === undefined ? undefined : end - 1).replace(/\r$/, '');
    if (whole.trim() === '') return '';
    // Long lines are shown around the place.
    const skip = column > shownColumns - 20 ? column - 41 : 0;
    const source = (skip > 0 ? '…' : '') + whole.slice(skip > 0 ? skip + 1 : 0, skip + shownColumns);
    const width = Math.max(1, Math.min(span.end, start + whole.length) - span.start);
    const before = column - 1 - skip;
    const number = String(line).padStart(5);
    const gap = source.slice(0, before).replace(/[^\t]/g, ' ');
    const carets = '^'.repeat(Math.max(1, Math.min(width, source.length - before)));
    return `${number} │ ${printable(source)}\n${' '.repeat(number.length)} │ ${gap}${carets}`;
  }
}

/** The findings of the configuration file, then those of further files; each file's in its order. */
export function allFindings(
  first: Findings,
  others: readonly { readonly list: readonly Diagnostic[] }[],
): readonly Diagnostic[] {
  const rest = others
    .flatMap(({ list }) => list)
    .toSorted((a, b) =>
      a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column,
    );
  return [...first.sorted(), ...rest];
}

/** A file's content must not steer the terminal that shows it. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is replaced
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '·');
}

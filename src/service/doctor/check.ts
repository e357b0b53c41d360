/** What a check of `sluice doctor` gives: a verdict, what was seen, and, unless all is well, what to paste. */

export interface Check {
  readonly name: string;
  readonly ok: 'ok' | 'warn' | 'fail';
  readonly message: string;
  /** A command or a sentence; there whenever `ok` is not `ok`. */
  readonly fix?: string;
}

export const good = (name: string, message: string): Check => ({ name, ok: 'ok', message });
export const warn = (name: string, message: string, fix: string): Check => ({
  name,
  ok: 'warn',
  message,
  fix,
});
export const fail = (name: string, message: string, fix: string): Check => ({
  name,
  ok: 'fail',
  message,
  fix,
});

/** A text as one word of a shell command. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

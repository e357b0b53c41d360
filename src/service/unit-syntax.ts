/**
 * Texts in systemd's unit files. `%` begins a specifier everywhere; words of a list are quoted with backslash escapes; a
 * single path (`WorkingDirectory=`) is taken to the end of the line and knows no quotes; command lines also have `$`.
 */
import { AppError } from '../types/errors.ts';

/** A word of a list of paths or of `Environment=`. */
export function word(text: string): string {
  return `"${writable(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')}"`;
}

/** A word of a command line after the program. */
export function argument(text: string): string {
  return word(text).replaceAll('$', '$$$$');
}

/** A value that reaches to the end of its line. */
export function line(text: string): string {
  if (/^\s|[\s\\]$/.test(text)) throw unusable(text, 'begins or ends with a space or a backslash');
  return writable(text).replaceAll('%', '%%');
}

function writable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a unit can not hold
  if (/[\x00-\x1f\x7f]/.test(text)) throw unusable(text, 'holds a control character');
  return text;
}

function unusable(text: string, why: string): AppError {
  return new AppError(
    'SERVICE_FAILED',
    `${JSON.stringify(text)} ${why}, which a systemd unit can not express`,
    {
      fix: 'Rename the folder, or start the daemon with `sluice start` from a unit of your own.',
    },
  );
}

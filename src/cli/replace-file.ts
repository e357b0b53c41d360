/** A configuration file gets a new text whole or not at all: a daemon that reads it meanwhile sees the old one or the new one. */
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { AppError, messageOf } from '../types/errors.ts';

/**
 * @param o.before What it holds as far as the caller knows.
 * @param o.fix What a person does where it cannot be written.
 * @throws AppError OUTPUT_UNWRITABLE; CONFLICT when it holds something else by now. It is then as it was.
 */
export function replaceFile(
  named: string,
  o: { readonly before: string; readonly after: string; readonly fix: string },
): void {
  // A link stays a link.
  const file = realpathSync(named);
  const { mode } = statSync(file);
  // The right to write to the folder would be enough, also over a file that somebody has locked on purpose.
  if ((mode & 0o222) === 0) throw unwritable(file, 'it is read-only', undefined, o.fix);
  const temporary = `${file}.${process.pid}.new`;
  try {
    const handle = openSync(temporary, 'wx', 0o600);
    try {
      writeSync(handle, o.after);
      fchmodSync(handle, mode & 0o777);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    if (readFileSync(file, 'utf8') !== o.before)
      throw new AppError('CONFLICT', `${file} was changed by somebody else meanwhile; nothing was written`, {
        fix: 'Run the command again.',
      });
    renameSync(temporary, file);
  } catch (cause) {
    rmSync(temporary, { force: true });
    if (cause instanceof AppError) throw cause;
    throw unwritable(file, messageOf(cause), cause, o.fix);
  }
}

function unwritable(file: string, why: string, cause: unknown, fix: string): AppError {
  return new AppError('OUTPUT_UNWRITABLE', `Cannot write ${file}: ${why}`, { cause, fix });
}

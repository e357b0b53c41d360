/**
 * What SQLite's error codes mean to us. Everything that leaves this engine is an `AppError` with a next step; the ones
 * that pass by themselves (a full disk, a quota, a disk that answers again) are kept apart from those that do not.
 */
import { AppError, messageOf } from '../../types/errors.ts';

const PRIMARY = {
  busy: 5,
  noMemory: 7,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  notADb: 26,
};
/** Over a quota or a file size limit, or no room for the shared memory: SQLite calls only ENOSPC `full`. */
const IO_ERROR_FOR_LACK_OF_SPACE = [778, 4874];

/** SQLite's extended result code of anything that was thrown, if it has one. */
export function sqliteCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code : undefined;
}

/** The file is no database of ours, or not in one piece any more. */
export function isCorrupt(error: unknown): boolean {
  const code = (sqliteCode(error) ?? 0) & 0xff;
  return code === PRIMARY.corrupt || code === PRIMARY.notADb;
}

/** The lock is held by another connection. */
export function isBusy(error: unknown): boolean {
  return ((sqliteCode(error) ?? 0) & 0xff) === PRIMARY.busy;
}

/** A connection that only reads met what has to be rolled back, or recovered, before anybody can read. */
export function needsWriter(error: unknown): boolean {
  const cause = error instanceof AppError ? error.cause : error;
  return ((sqliteCode(cause) ?? 0) & 0xff) === PRIMARY.readOnly;
}

/** The same write can succeed later, without anything being done to the ledger. */
export function mayPass(error: unknown): boolean {
  const { busy, noMemory, readOnly, ioError, full, cantOpen } = PRIMARY;
  return [busy, noMemory, readOnly, ioError, full, cantOpen].includes((sqliteCode(error) ?? 0) & 0xff);
}

/**
 * @param doing What was tried, to go after "Cannot": `write the ledger /x/ledger.db`.
 * @returns DISK_FULL, STATE_UNWRITABLE, LEDGER_DAMAGED, or INTERNAL for what no situation explains: our own fault.
 */
export function ledgerError(error: unknown, doing: string): AppError {
  if (error instanceof AppError) return error;
  const code = sqliteCode(error) ?? 0;
  const message = `Cannot ${doing}: ${messageOf(error)}`;
  if ((code & 0xff) === PRIMARY.full || IO_ERROR_FOR_LACK_OF_SPACE.includes(code))
    return new AppError('DISK_FULL', message, {
      cause: error,
      fix: 'Make space (or raise the quota) on the disk that holds `.sluice/`; work goes on by itself.',
    });
  if (isCorrupt(error))
    return new AppError('LEDGER_DAMAGED', message, {
      cause: error,
      fix: 'Restart Sluice: it sets the damaged ledger aside and rebuilds it from files and receipts.',
    });
  if (isBusy(error))
    return new AppError('STATE_UNWRITABLE', message, {
      cause: error,
      fix: 'Another program keeps the ledger locked (a database browser, a backup): close it.',
    });
  if (mayPass(error))
    return new AppError('STATE_UNWRITABLE', message, {
      cause: error,
      fix: 'Look whether `.sluice/` belongs to this user and can be written, and ask the kernel log (`dmesg`) about its disk.',
    });
  return new AppError('INTERNAL', message, {
    cause: error,
    fix: 'This is a fault in Sluice: please report it with this message and the log.',
  });
}

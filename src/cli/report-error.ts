/** How an error is shown: what failed, and what to do. Unknown ones are ours, and say how to report them. */

import type { Diagnostic } from '../config/diagnostic.ts';
import { formatDiagnostics } from '../config/diagnostic.ts';
import type { ErrorCode } from '../types/error-codes.ts';
import { AppError, messageOf } from '../types/errors.ts';

/** Wrong use or configuration: the service manager does not restart on it. */
const wrongUse: ReadonlySet<ErrorCode> = new Set([
  'CONFIG_INVALID',
  'CONFIG_NOT_FOUND',
  'NOT_SUPPORTED_YET',
  'USAGE',
  'UNKNOWN_WORKFLOW',
  'INPUT_INVALID',
  'LEDGER_NEWER',
  'LEDGER_LOCATION',
]);

/** @returns the exit code. */
export function reportError(error: unknown): 1 | 2 {
  const color = process.stderr.isTTY === true && process.env.NO_COLOR === undefined;
  if (hasDiagnostics(error)) {
    process.stderr.write(`${formatDiagnostics(error.diagnostics, { color })}\n`);
    return 2;
  }
  if (error instanceof AppError) {
    process.stderr.write(`sluice: ${error.message}\n  fix: ${error.fix}\n`);
    return wrongUse.has(error.code) ? 2 : 1;
  }
  process.stderr.write(`sluice: ${messageOf(error)}\n`);
  if (error instanceof Error && process.env.SLUICE_DEBUG !== undefined)
    process.stderr.write(`${error.stack}\n`);
  else
    process.stderr.write(
      '  fix: this is a fault in Sluice; run again with SLUICE_DEBUG=1 and report what it prints.\n',
    );
  return 1;
}

function hasDiagnostics(error: unknown): error is AppError & { diagnostics: readonly Diagnostic[] } {
  return error instanceof AppError && 'diagnostics' in error;
}

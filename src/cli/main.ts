/** The entry of the command line. What a command does is loaded when it is called, so that `--help` is instant. */
import { CommanderError } from 'commander';
import { withTheirBytes } from './argument-bytes.ts';
import { createProgram } from './program.ts';
import { reportError } from './report-error.ts';

/** How long a process stays whose command is over, and that something keeps. */
const LEFT_MS = 1_000;

// `sluice files | head -1`: who has read enough closes the pipe, and that is no error.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(process.exitCode ?? 0);
  });

try {
  await createProgram().parseAsync(withTheirBytes(process.argv.slice(2)), { from: 'user' });
} catch (error) {
  // Help and version are what was asked for; every other fault that commander finds is wrong use.
  process.exitCode = error instanceof CommanderError ? (error.exitCode === 0 ? 0 : 2) : reportError(error);
}

// A plugin may have left a timer or a connection. What was printed is waited for, however slowly it is read.
setTimeout(
  () => process.stdout.write('', () => process.stderr.write('', () => process.exit())),
  LEFT_MS,
).unref();

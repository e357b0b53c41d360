/**
 * The entry of `sluice state` inside an attempt, where a script calls it hundreds of times: one small file, without
 * commander and without the rest of the program, which is loaded only for what is not written plainly.
 */
import { reportError } from './report-error.ts';
import { readStateArgs } from './state/command.ts';
import { attemptDoor } from './state/door.ts';
import { perform } from './state/perform.ts';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(process.exitCode ?? 0);
});

try {
  const command = readStateArgs(process.argv.slice(3));
  const door = command && attemptDoor(process.env, command);
  if (command && door) process.exitCode = await perform(command, door);
  // By its address: a bundler would take it in.
  else
    await import(new URL(`./main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url).href);
} catch (error) {
  process.exitCode = reportError(error);
}

/** The commands and their options, on one page. Each action is a module of its own in `commands/`. */
import { type Command, InvalidArgumentError } from 'commander';
import type { CommandContext } from './context.ts';

type Action = (
  context: CommandContext,
  args: readonly string[],
  options: Record<string, unknown>,
) => Promise<number | undefined>;

export function addCommands(program: Command): void {
  /** @param load gives the module's `run`; what it returns is the exit code. */
  const to =
    (load: () => Promise<{ run: Action }>) =>
    async (...called: unknown[]): Promise<void> => {
      const command = called.at(-1) as Command;
      const { run } = await load();
      const { createContext } = await import('./context.ts');
      const context = createContext(program.opts<{ config?: string }>());
      process.exitCode = (await run(context, command.args, command.opts())) ?? 0;
    };

  program
    .command('init [dir]')
    .description('make a project: a commented configuration that works, and its folders')
    .action(to(() => import('./commands/init.ts')));
  program
    .command('start')
    .description('run the daemon in the foreground')
    .action(to(() => import('./commands/start.ts')));
  program
    .command('run [paths...]')
    .description('process what is there once; exit 1 if anything failed')
    .option('--force', 'run again what has a result')
    .option('--report <kind=file,...>', 'also write junit=FILE and/or sarif=FILE', reportTargets)
    .option('--json', 'print the outcome as JSON')
    .action(to(() => import('./commands/run.ts')));
}

function reportTargets(text: string): Record<string, string> {
  const targets: Record<string, string> = {};
  for (const part of text.split(',')) {
    const [kind, file] = [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)];
    if ((kind !== 'junit' && kind !== 'sarif') || file === '')
      throw new InvalidArgumentError('Write junit=FILE,sarif=FILE.');
    targets[kind] = file;
  }
  return targets;
}

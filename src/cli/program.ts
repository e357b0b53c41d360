/** The command line: which commands there are. What one does is loaded when it is called, so that `--help` is instant. */
import { Command, CommanderError } from 'commander';
import { addCommands } from './commands.ts';
import { reportError } from './report-error.ts';
import { readVersion } from './version.ts';

export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('sluice')
    .description(
      'Watches folders and hands each file that lands to the right agent, with proof, limits and a report.',
    )
    .version(readVersion(), '-V, --version')
    .option(
      '-c, --config <file>',
      'configuration file (default: config/orchestrator.yaml, from here upwards)',
    )
    .showSuggestionAfterError()
    .showHelpAfterError('(see `sluice --help`)')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', examples)
    .exitOverride();
  addCommands(program);
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    process.exitCode = error instanceof CommanderError ? exitCodeOf(error) : reportError(error);
  }
}

const examples = `
Examples:
  sluice init my-project && cd my-project && sluice start
  sluice run inbox --report junit=results.xml`;

/** Help and version are what was asked for; the rest is wrong use. */
function exitCodeOf({ exitCode }: CommanderError): number {
  return exitCode === 0 ? 0 : 2;
}

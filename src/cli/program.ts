/** The program as commander sees it: help, common options, commands. The shells' completion is made from it, too. */
import { Command } from 'commander';
import { addCommands } from './commands.ts';
import { readVersion } from './version.ts';

const examples = `
Examples:
  sluice init my-project && cd my-project && sluice start
  sluice run inbox --report junit=results.xml`;

export function createProgram(): Command {
  const program = new Command('sluice')
    .description('Hands each file dropped in a folder to the right agent, and proves the result.')
    .usage('[options] <command>')
    .option('-c, --config <file>', 'default: config/orchestrator.yaml, here or above')
    .option('-C, --chdir <dir>', 'work as if started in this folder')
    .option('--no-color', 'plain text, also on a terminal')
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help, also of a command')
    .helpCommand(false)
    .showSuggestionAfterError()
    .configureHelp({
      showGlobalOptions: true,
      subcommandTerm: (command) => [command.name(), argumentsOf(command)].join(' ').trim(),
    })
    .exitOverride();
  addCommands(program);
  pointToHelp(program, 'sluice');
  return program.addHelpText('after', examples);
}

/** After a slip each command names its own help. */
function pointToHelp(command: Command, name: string): void {
  command.showHelpAfterError(`(see \`${name} --help\`)`);
  for (const one of command.commands) pointToHelp(one, `${name} ${one.name()}`);
}

/** Options of a command stand in its own help; the overview shows what it works on. */
function argumentsOf(command: Command): string {
  return command.registeredArguments
    .map((argument) => {
      const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
      return argument.required ? `<${name}>` : `[${name}]`;
    })
    .join(' ');
}

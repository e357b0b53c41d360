/** The completion script for fish: one `complete` line for each command and option. */
import { allNodes, type CommandNode, type OptionNode } from './tree.ts';

export function fishCompletion(program: CommandNode): string {
  const nodes = allNodes(program);
  return `# fish completion for sluice; load it with: sluice completion fish | source
function __sluice_at --description 'the command line so far is exactly this command'
  set -l words
  set -l skip 0
  for word in (commandline -opc)[2..-1]
    if test $skip = 1
      set skip 0
    else if contains -- $word ${valued(program)}
      set skip 1
    else if not string match -q -- '-*' $word
      set -a words $word
    end
  end
  string match -q -- "$argv *" "$words " ; or test -z "$argv"
end
function __sluice_before_command --description 'no word of a command was given'
  __sluice_at ; and test (count (string match -v -- '-*' (commandline -opc)[2..-1])) = 0
end
complete -c sluice -f
${program.options.map((option) => optionLine('', option)).join('\n')}
${nodes.flatMap(nodeLines).join('\n')}
`;
}

function nodeLines({ path, commands, options, choices, takesPaths }: CommandNode): string[] {
  const at = path.length === 0 ? '__sluice_before_command' : `__sluice_at ${path.join(' ')}`;
  const inner = commands.map((command) => command.path.at(-1) as string);
  const notYet =
    path.length === 0 || inner.length === 0
      ? at
      : `${at}; and not __fish_seen_subcommand_from ${inner.join(' ')}`;
  return [
    ...commands.map(
      (command) =>
        `complete -c sluice -n ${quote(notYet)} -a ${quote(command.path.at(-1) as string)} -d ${quote(command.description)}`,
    ),
    ...(path.length === 0 ? [] : options.map((option) => optionLine(at, option))),
    ...choices.map((word) => `complete -c sluice -n ${quote(at)} -a ${quote(word)}`),
    ...(takesPaths ? [`complete -c sluice -n ${quote(at)} -F`] : []),
  ];
}

function optionLine(at: string, { flags, description, value }: OptionNode): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const words = value?.kind === 'words' ? ` -x -a ${quote(value.words.join(' '))}` : '';
  const rest = value && value.kind !== 'words' ? (value.kind === 'text' ? ' -x' : ' -r -F') : '';
  const when = at === '' ? '' : ` -n ${quote(at)}`;
  return `complete -c sluice${when} ${names.join(' ')}${words}${rest} -d ${quote(description)}`;
}

function valued({ options }: CommandNode): string {
  return options
    .filter(({ value }) => value)
    .flatMap(({ flags }) => flags)
    .join(' ');
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** The completion script for zsh: commands and options with their descriptions. */
import { allNodes, type CommandNode, type OptionNode } from './tree.ts';

export function zshCompletion(program: CommandNode): string {
  const nodes = allNodes(program);
  return `#compdef sluice
# zsh completion for sluice; load it with: source <(sluice completion zsh)
${nodes.map((node) => nodeFunction(node, program)).join('\n')}
compdef ${nameOf(program)} sluice
`;
}

function nodeFunction(node: CommandNode, program: CommandNode): string {
  const options = node === program ? node.options : [...node.options, ...withoutHelp(program)];
  const specs = options.map((option) => `    ${optionSpec(option)}`);
  const tail =
    node.commands.length > 0
      ? [`    '1:command:->command'`, `    '*::argument:->argument'`]
      : node.choices.length > 0
        ? [`    '1:word:(${node.choices.join(' ')})'`]
        : node.takesPaths
          ? [`    '*:file:_files'`]
          : [];
  return `${nameOf(node)}() {
  local state line
  local -a commands
  _arguments -s -C \\
${[...specs, ...tail].join(' \\\n')}
${node.commands.length > 0 ? dispatch(node) : ''}}`;
}

function dispatch({ commands }: CommandNode): string {
  const described = commands.map((inner) => quote(`${inner.path.at(-1)}:${inner.description}`));
  const cases = commands.map((inner) => `        ${inner.path.at(-1)}) ${nameOf(inner)} ;;`);
  return `  case $state in
    command)
      commands=(${described.join(' ')})
      _describe command commands ;;
    argument)
      case $line[1] in
${cases.join('\n')}
      esac ;;
  esac
`;
}

/** \`'(-c --config)'{-c,--config}'[description]:value:_files'\`. */
function optionSpec({ flags, description, value }: OptionNode): string {
  const text = `[${description.replace(/[[\]:\\]/g, '\\$&')}]${value ? valueSpec(value) : ''}`;
  if (flags.length === 1) return quote(`${flags[0]}${text}`);
  return `${quote(`(${flags.join(' ')})`)}{${flags.join(',')}}${quote(text)}`;
}

function valueSpec(value: NonNullable<OptionNode['value']>): string {
  switch (value.kind) {
    case 'words':
      return `:value:(${value.words.join(' ')})`;
    case 'file':
      return ':file:_files';
    case 'folder':
      return ':folder:_files -/';
    case 'text':
      return ':value: ';
    default:
      return value satisfies never;
  }
}

function withoutHelp({ options }: CommandNode): readonly OptionNode[] {
  return options.filter(({ flags }) => !flags.includes('--help') && !flags.includes('--version'));
}

function nameOf({ path }: CommandNode): string {
  return ['_sluice', ...path].join('_');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The completion script for bash (3.2 and later: what macOS ships). */
import { allNodes, type CommandNode, type OptionNode } from './tree.ts';

export function bashCompletion(program: CommandNode): string {
  const nodes = allNodes(program);
  const paths = nodes.filter(({ path }) => path.length > 0).map(({ path }) => `'${path.join(' ')}'`);
  return `# bash completion for sluice; load it with: source <(sluice completion bash)
_sluice() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} path='' word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case $word in ${valued(program)}) ((i++)); continue ;; -*) continue ;; esac
    case "\${path:+$path }$word" in ${paths.join('|')}) path="\${path:+$path }$word" ;; esac
  done
  case "$path $prev" in
${nodes
  .flatMap((node) => node.options.map((option) => valueCase(node, option)))
  .filter(Boolean)
  .join('\n')}
  esac
  case $path in
${nodes.map((node) => nodeCase(node, program)).join('\n')}
  esac
}
_sluice_files() {
  COMPREPLY=()
  compopt -o default 2>/dev/null || COMPREPLY=($(compgen -f -- "$1"))
}
_sluice_folders() {
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen -d -- "$1"))
}
_sluice_words() {
  COMPREPLY=($(compgen -W "$1" -- "$2"))
}
complete -F _sluice sluice
`;
}

function valued({ options }: CommandNode): string {
  return options
    .filter(({ value }) => value)
    .flatMap(({ flags }) => flags)
    .join('|');
}

/** The word before is an option that takes a value. Global ones are known before and behind every command. */
function valueCase({ path }: CommandNode, { flags, value }: OptionNode): string {
  if (!value) return '';
  const place = path.length === 0 ? '*' : `'${path.join(' ')}'`;
  return `    ${flags.map((flag) => `${place}' ${flag}'`).join('|')}) ${reply(value)}; return ;;`;
}

function nodeCase(node: CommandNode, program: CommandNode): string {
  const { path, commands, choices, takesPaths } = node;
  const flags = [...new Set([...node.options, ...program.options].flatMap((option) => option.flags))].filter(
    (flag) => flag.startsWith('--'),
  );
  const words = [...commands.map(({ path: inner }) => inner.at(-1) as string), ...choices];
  const rest = takesPaths ? '_sluice_files "$cur"' : `_sluice_words '${words.join(' ')}' "$cur"`;
  return `    '${path.join(' ')}') if [[ $cur == -* ]]; then _sluice_words '${flags.join(' ')}' "$cur"; else ${rest}; fi ;;`;
}

function reply(value: NonNullable<OptionNode['value']>): string {
  switch (value.kind) {
    case 'words':
      return `_sluice_words '${value.words.join(' ')}' "$cur"`;
    case 'file':
      return '_sluice_files "$cur"';
    case 'folder':
      return '_sluice_folders "$cur"';
    case 'text':
      return 'COMPREPLY=()';
    default:
      return value satisfies never;
  }
}

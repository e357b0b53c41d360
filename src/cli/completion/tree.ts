/** What there is to complete, read from the commander program itself: no list of commands is kept a second time. */
import type { Argument, Command, Option } from 'commander';

export interface CommandNode {
  /** `['jobs', 'show']`; empty for the program. */
  readonly path: readonly string[];
  readonly description: string;
  readonly commands: readonly CommandNode[];
  readonly options: readonly OptionNode[];
  /** Words that its argument may be. */
  readonly choices: readonly string[];
  /** Its arguments are files or folders. */
  readonly takesPaths: boolean;
}

export interface OptionNode {
  /** `--config`, `-c`: as they are written. */
  readonly flags: readonly string[];
  readonly description: string;
  /** Absent: it takes no value. */
  readonly value?:
    | { readonly kind: 'words'; readonly words: readonly string[] }
    | { readonly kind: 'file' | 'folder' | 'text' };
}

export function commandTree(command: Command, path: readonly string[] = []): CommandNode {
  const help: OptionNode = { flags: ['--help', '-h'], description: 'print help' };
  return {
    path,
    description: command.description(),
    commands: command.commands.map((inner) => commandTree(inner, [...path, inner.name()])),
    options: [...command.options.filter(({ hidden }) => !hidden).map(optionNode), help],
    choices: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    takesPaths: command.registeredArguments.some(isPath),
  };
}

/** The program and all commands below it. */
export function allNodes(node: CommandNode): readonly CommandNode[] {
  return [node, ...node.commands.flatMap(allNodes)];
}

function optionNode({ short, long, description, required, optional, argChoices, flags }: Option): OptionNode {
  const own = { flags: [long, short].filter((flag) => flag !== undefined), description };
  if (!required && !optional) return own;
  if (argChoices) return { ...own, value: { kind: 'words', words: argChoices } };
  const kind = /<file>/.test(flags) ? 'file' : /<dir>/.test(flags) ? 'folder' : 'text';
  return { ...own, value: { kind } };
}

function isPath(argument: Argument): boolean {
  return ['path', 'paths', 'dir', 'targets'].includes(argument.name());
}

/**
 * What a tool of an agent CLI can do at most, as far as its name says: those that change files, and those that run anything.
 * A tool that is not here may be one of a server of the user's own; the CLI keeps to what it was allowed.
 */
import type { Access } from '../types/agent-cli.ts';

/** Plain names, in lower case. */
const editing = new Set([
  ...['write', 'edit', 'multiedit', 'notebookedit'],
  ...['write_file', 'replace', 'writefiletool', 'edittool'],
  ...['patch', 'apply_patch', 'create'],
]);
const running = new Set(['*', 'bash', 'powershell', 'shell', 'run_shell_command', 'shelltool', 'exec']);

/**
 * @param tool As it stands in the configuration: `Write`, `Bash(npm test:*)`, `run_shell_command(git status)`.
 * @returns undefined: not known, or a shell that is bound to named commands.
 */
export function accessOfTool(kind: string, tool: string): Access | undefined {
  if (kind === 'plugin') return undefined;
  const [, name = '', scope] = /^\s*([^(]*?)\s*(?:\((.*)\)\s*)?$/s.exec(tool) ?? [];
  const plain = name.toLowerCase();
  if (editing.has(plain)) return 'edit';
  if (!running.has(plain)) return undefined;
  return isBound(scope) ? undefined : 'all';
}

/** `*` and `:*` are every command. */
function isBound(scope: string | undefined): boolean {
  return scope !== undefined && /[^\s:*]/.test(scope);
}

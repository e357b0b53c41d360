/**
 * What the agent wanted to do and was not let. Codex CLI tells it in three places: a change of files that failed, a command
 * whose output says so, and, when its own sandbox was in the way, nowhere but in its log.
 */
import { dirname } from 'node:path';
import type { Denial } from '../../../types/agent-cli.ts';
import { oneLine } from '../reading/events.ts';

const patchTool = 'apply_patch';
const maxDenials = 100;
const maxAround = 1_000;

export class Denials {
  readonly #commands = new Map<string, Denial>();
  /** Files of each change that failed. A change fails as a whole; which of its files was the reason stands in the log. */
  #changes: (readonly string[])[] = [];

  /** @returns what it was, if the command was denied something. */
  command(output: string): Denial | undefined {
    const denial = deniedCommand(output);
    if (denial && this.#commands.size < maxDenials && !this.#commands.has(denial.message))
      this.#commands.set(denial.message, denial);
    return denial;
  }

  /** Codex checks a change before it makes it: where one fails, a file could not be written. */
  failedChange(files: readonly string[]): void {
    if (files.length > 0 && this.#changes.length < maxDenials) this.#changes.push(files);
  }

  /** These could be written after all. */
  changed(files: readonly string[]): void {
    this.#changes = this.#changes.filter((one) => !one.some((file) => files.includes(file)));
  }

  tool(denial: Denial): void {
    if (this.#commands.size < maxDenials) this.#commands.set(denial.message, denial);
  }

  /** @param tools Texts with which tools failed, from the log. */
  all(tools: readonly string[]): readonly Denial[] {
    const named = new Set(tools.flatMap((text) => fileIn(text) ?? []));
    const files = new Set(
      this.#changes.flatMap((change) => {
        const blamed = change.filter((file) => named.has(file));
        return blamed.length > 0 ? blamed : change;
      }),
    );
    const found = new Map<string, Denial>();
    for (const denial of [
      ...[...files].map(deniedFile),
      ...tools.flatMap(rejected),
      ...this.#commands.values(),
    ])
      if (!found.has(denial.message)) found.set(denial.message, denial);
    return [...found.values()].slice(0, maxDenials);
  }
}

function deniedFile(file: string): Denial {
  return { message: `could not write ${oneLine(file)}`, tool: patchTool, file, cure: toWrite(file) };
}

function toWrite(file: string): NonNullable<Denial['cure']> {
  return file.startsWith('/')
    ? { kind: 'directory', path: dirname(file), write: true }
    : { kind: 'access', access: 'edit' };
}

/** Undefined: a command that failed for a reason of its own. */
function deniedCommand(output: string): Denial | undefined {
  const tool = 'bash';
  const bwrap =
    /^bwrap: (?:setting up uid map|No permissions|Can't|Creating new namespace|execvp codex).*/i.exec(output);
  if (bwrap)
    return {
      message: `Codex's own sandbox cannot be made here: ${oneLine(bwrap[0])}`,
      tool,
      cure: { kind: 'access', access: 'all' },
    };
  const at = output.search(/\bread-only file system\b/i);
  if (at < 0) return undefined;
  const line = lineAround(output, at);
  const file = pathIn(line);
  return { message: oneLine(line), tool, ...(file && { file }), cure: toWrite(file ?? '') };
}

/** Without what is far from it: a command may print megabytes on one line. */
function lineAround(text: string, at: number): string {
  const from = Math.max(text.lastIndexOf('\n', at) + 1, at - maxAround);
  return text.slice(from, at + maxAround).split('\n', 1)[0] as string;
}

/** `touch: cannot touch '/etc/x': Read-only …`, `… [Errno 30] Read-only file system: '/etc/x'`, `bash: line 1: /etc/x: Read-only …` */
function pathIn(line: string): string | undefined {
  const [, quoted] = /['"‘“`](\/[^'"’”`]*)['"’”`]/.exec(line) ?? [];
  if (quoted !== undefined) return quoted;
  return /(?:^|[\s:=])(\/[^\s:'"]+)(?=: read-only)/i.exec(line)?.[1];
}

/** `Failed to write file /workspace/a.txt` after what it printed. */
function fileIn(text: string): string | undefined {
  const [, said = ''] = /^Exit code: \d+\n(?:Wall time:.*\n)?Output:\n([\s\S]*)/.exec(text) ?? [];
  return /^Failed to (?:write|delete|remove|create|move|update)\b[^/\n]*(\/.+)$/m.exec(said)?.[1];
}

function rejected(text: string): readonly Denial[] {
  const [line] = text.split('\n');
  if (line === undefined) return [];
  const [, why] = /^patch rejected: ([^;]*)/.exec(line) ?? [];
  if (why !== undefined) {
    const isReadOnly = why.includes('read-only sandbox');
    return [
      {
        message: `patch rejected: ${oneLine(why)}`,
        tool: patchTool,
        // It does not say where it wanted to write, so no single folder can be given.
        cure: { kind: 'access', access: isReadOnly ? 'edit' : 'all' },
      },
    ];
  }
  return /rejected by user approval settings\s*$|^exec command rejected/.test(line)
    ? [{ message: oneLine(line), cure: { kind: 'access', access: 'all' } }]
    : [];
}

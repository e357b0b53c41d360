/**
 * Recognises, in what an agent says that it runs, commands that are blocked: those of its `sandbox.blocked`, `sudo`, and
 * a download that goes straight into a shell. A tripwire, not a fence: it hears only what the agent reports, after it
 * began. So a doubt counts for the agent; what must not happen is the sandbox's to prevent.
 */
import type { AgentEvent } from '../../types/agent.ts';
import { type Pipeline, parseShell, type SimpleCommand } from './shell-syntax.ts';

/** A command as the configuration has it: `git push` is `['git', 'push']`. */
export type Blocked = readonly (readonly string[])[];

const shellTools: ReadonlySet<string> = new Set(['bash', 'shell', 'exec']);
const shells: ReadonlySet<string> = new Set(['sh', 'bash', 'zsh', 'dash', 'ksh', 'ash', 'fish']);
const downloaders: ReadonlySet<string> = new Set(['curl', 'wget']);
/** Programs that run another one: its words follow theirs. */
const wrappers: ReadonlySet<string> = new Set([
  ...['env', 'nohup', 'time', 'nice', 'ionice', 'timeout', 'stdbuf', 'setsid', 'xargs', 'chronic'],
  ...['exec', 'command', 'builtin', 'if', 'then', 'else', 'elif', 'do', 'while', 'until', '!', 'busybox'],
]);
/** These speak of the work, not of what is run. */
const talk: ReadonlySet<AgentEvent['type']> = new Set(['finding', 'review', 'blocker']);

/** The command that an event says is run; an argument list or a shell's line. */
export function commandOf({ type, payload }: AgentEvent): string | readonly string[] | undefined {
  if (talk.has(type)) return undefined;
  const { command, tool, args, input } = payload;
  const own = asCommand(command);
  if (own !== undefined || typeof tool !== 'string' || !shellTools.has(tool.toLowerCase())) return own;
  const given = args ?? input;
  return asCommand((given as { command?: unknown } | null | undefined)?.command);
}

function asCommand(value: unknown): string | readonly string[] | undefined {
  if (typeof value === 'string') return value;
  return Array.isArray(value) && value.every((word) => typeof word === 'string') ? value : undefined;
}

/** Whether a command is, or contains, one that is blocked. */
export function isRefused(command: string | readonly string[], blocked: Blocked): boolean {
  const pipelines =
    typeof command === 'string' ? parseShell(command) : [[{ words: command, inner: [] } as SimpleCommand]];
  return pipelines.some((pipeline) => isRefusedPipeline(pipeline, blocked, 0));
}

const maxDepth = 8;

function isRefusedPipeline(pipeline: Pipeline, blocked: Blocked, depth: number): boolean {
  if (depth > maxDepth) return false;
  let isDownload = false;
  for (const { words, inner } of pipeline) {
    const run = unwrap(words);
    const program = programOf(run);
    if (program === 'sudo' || blocked.some((one) => matches(run, one) || matches(words, one))) return true;
    const isShell = shells.has(program) || program === 'eval' || program === 'source' || program === '.';
    if (isShell && (isDownload || inner.some((one) => one.some(isDownloader)))) return true;
    isDownload ||= downloaders.has(program);
    if (inner.some((one) => isRefusedPipeline(one, blocked, depth + 1))) return true;
    const script = scriptOf(run, program);
    if (script !== undefined && parseShell(script).some((one) => isRefusedPipeline(one, blocked, depth + 1)))
      return true;
  }
  return false;
}

function isDownloader({ words }: SimpleCommand): boolean {
  return downloaders.has(programOf(unwrap(words)));
}

/** Without what stands before the program: variables, and programs that run it. */
function unwrap(words: readonly string[]): readonly string[] {
  let from = 0;
  let isWrapped = false;
  for (; from < words.length; from++) {
    const word = words[from] as string;
    if (/^\w+=/.test(word)) continue;
    // Options of a wrapper, and their values as far as they are numbers (`timeout 5m`, `nice -n 10`).
    if (isWrapped && (word.startsWith('-') || /^\d[\d.]*\w?$/.test(word))) continue;
    if (!wrappers.has(basename(word))) break;
    isWrapped = true;
  }
  return words.slice(from);
}

function programOf(words: readonly string[]): string {
  return basename(words[0] ?? '');
}

function basename(word: string): string {
  return word.slice(word.lastIndexOf('/') + 1);
}

/** What a shell is told to run: `sh -c TEXT`, `bash -lc TEXT`, `eval TEXT`. */
function scriptOf(words: readonly string[], program: string): string | undefined {
  if (program === 'eval') return words.slice(1).join(' ');
  if (!shells.has(program)) return undefined;
  const at = words.findIndex((word, i) => i > 0 && /^-[a-z]+$/i.test(word) && /c/i.test(word));
  return at < 0 ? undefined : words[at + 1];
}

/**
 * `git push --force` blocks `git -q push origin main -f --force`: its plain words are the first plain words, its options
 * stand anywhere, letters of short ones in any order.
 */
function matches(words: readonly string[], blocked: readonly string[]): boolean {
  const [program, ...rest] = blocked;
  if (program === undefined || words[0] === undefined) return false;
  if (words[0] !== program && basename(words[0]) !== program) return false;
  const options = words.slice(1).filter(isOption);
  const plain = words.slice(1).filter((word) => !isOption(word));
  const letters = new Set(options.filter(isShort).flatMap((word) => [...word.slice(1)]));
  return (
    rest.every((word) => {
      if (!isOption(word)) return true;
      return options.includes(word) || (isShort(word) && [...word.slice(1)].every((one) => letters.has(one)));
    }) && rest.filter((word) => !isOption(word)).every((word, i) => plain[i] === word)
  );
}

function isOption(word: string): boolean {
  return word.length > 1 && word.startsWith('-');
}

function isShort(word: string): boolean {
  return !word.startsWith('--');
}

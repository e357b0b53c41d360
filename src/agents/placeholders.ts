/**
 * `${{ … }}` in the arguments and prompts of agents. An interpolated value stays inside the one argument it stands in, and
 * is never looked at again: a file called `${{ prompt }}` or `$(reboot)` is only a name.
 */
import { pathFromBytes } from '../types/path-bytes.ts';

const placeholder = /\$\{\{\s*([^}]*?)\s*\}\}/g;

/** Every name that can stand in a placeholder, with what it gives. */
export const placeholderNames = {
  'file.path': 'absolute path of the file',
  'file.rel': 'path relative to the root, with "/"',
  'file.name': 'file name with extension',
  'file.stem': 'file name without its last extension',
  'file.ext': 'last extension, with its dot; empty when there is none',
  'file.dir': 'absolute path of the folder that holds the file',
  'file.root': 'absolute path of the root',
  'file.sha256': 'checksum of the content, hexadecimal',
  'file.bytes': 'size in bytes',
  prompt: "the rule's prompt",
} as const;

export type PlaceholderName = keyof typeof placeholderNames;

export interface BadPlaceholder {
  readonly name: string;
  /** Index in the text at which the placeholder starts. */
  readonly at: number;
  readonly suggestion?: string;
}

/** The input of an attempt, as `AgentCall` holds it. */
export interface PlaceholderInput {
  readonly rootDir: string;
  readonly path: string;
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** The placeholders in `text` that mean nothing; a prompt may not hold itself (`within: 'prompt'`). */
export function checkPlaceholders(
  text: string,
  within: 'argument' | 'prompt' = 'argument',
): BadPlaceholder[] {
  const bad: BadPlaceholder[] = [];
  for (const match of text.matchAll(placeholder)) {
    const name = match[1] ?? '';
    if (isName(name) && !(within === 'prompt' && name === 'prompt')) continue;
    const suggestion = nearest(name, within);
    bad.push({ name, at: match.index, ...(suggestion === undefined ? {} : { suggestion }) });
  }
  return bad;
}

export function placeholderValues(
  input: PlaceholderInput,
  prompt = '',
): Readonly<Record<PlaceholderName, string>> {
  const name = input.file.slice(input.file.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  const stem = dot > 0 ? name.slice(0, dot) : name;
  return {
    'file.path': input.file,
    'file.rel': input.path,
    'file.name': name,
    'file.stem': stem,
    'file.ext': name.slice(stem.length),
    'file.dir': input.file.slice(0, input.file.lastIndexOf('/')) || '/',
    'file.root': input.rootDir,
    'file.sha256': input.sha256,
    'file.bytes': String(input.bytes),
    prompt,
  };
}

/**
 * One pass over `text`; unknown placeholders stay as they are (the configuration is refused before it comes to that).
 * @returns a string as `types/path-bytes.ts` writes bytes: the values of `file.*` may hold such bytes already.
 */
export function interpolate(text: string, values: Readonly<Record<PlaceholderName, string>>): string {
  let out = '';
  let from = 0;
  for (const match of text.matchAll(placeholder)) {
    const name = match[1] ?? '';
    if (!isName(name)) continue;
    out += literal(text.slice(from, match.index)) + values[name];
    from = match.index + match[0].length;
  }
  return out + literal(text.slice(from));
}

/** The prompt with its placeholders replaced; ready to stand for `prompt` in `placeholderValues`. */
export function renderPrompt(prompt: string, input: PlaceholderInput): string {
  return interpolate(prompt, placeholderValues(input));
}

function isName(name: string): name is PlaceholderName {
  return Object.hasOwn(placeholderNames, name);
}

/** Literal text that happens to hold the characters which stand for bytes is written so that it means itself. */
export function literal(text: string): string {
  return pathFromBytes(Buffer.from(text));
}

/** The nearest known name at a distance of at most a third of its length; also `path` for `file.path`. */
function nearest(name: string, within: 'argument' | 'prompt'): string | undefined {
  const known = Object.keys(placeholderNames).filter((one) => within === 'argument' || one !== 'prompt');
  const last = known.find((one) => one.endsWith(`.${name}`));
  if (last !== undefined) return last;
  const ranked = known
    .map((one) => ({ one, distance: editDistance(name, one) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(2, best.one.length / 3) ? best.one : undefined;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

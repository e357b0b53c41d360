/**
 * `${{ … }}` in the arguments and prompts of agents: the expressions of `src/expressions`, over the file, the files and
 * the prompt. An interpolated value stays inside the one argument it stands in, and is never looked at again: a file called
 * `${{ prompt }}` or `$(reboot)` is only a name.
 */
import {
  checkTemplate,
  type FileValue,
  fileShape,
  filesShape,
  fileValue,
  functions,
  type Known,
  type PlainScope,
  parseTemplate,
  renderArgumentsNow,
  renderTextNow,
  scanTemplate,
  type Template,
} from '../expressions/expressions.ts';
import { pathFromBytes, pathToBytes } from '../types/path-bytes.ts';

export type PlaceholderName = `file.${keyof FileValue}` | 'prompt';

export interface BadPlaceholder {
  /** What stands between the braces. */
  readonly name: string;
  /** Index in the text at which the placeholder starts. */
  readonly at: number;
  readonly message: string;
  readonly fix: string;
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

/** What can be filled in, by its name as text and as the scope of expressions. */
export type PlaceholderValues = Readonly<Record<PlaceholderName, string>> & { readonly scope: PlainScope };

/** Files are not searched for an attempt: it gets those that it works on. */
const needFiles = ['glob', 'hashFiles'];
const inArgument: Known = {
  contexts: {
    file: fileShape,
    files: filesShape,
    prompt: { kind: 'text', doc: "the rule's prompt" },
  },
  functions: [...functions.keys()].filter((name) => !needFiles.includes(name)),
  status: false,
};
const inPrompt: Known = {
  ...inArgument,
  contexts: {
    ...inArgument.contexts,
    prompt: { kind: 'absent', why: 'a prompt does not hold itself', fix: 'Write the text out.' },
  },
};

/** What is wrong with the placeholders in `text`; a prompt may not hold itself (`within: 'prompt'`). */
export function checkPlaceholders(
  text: string,
  within: 'argument' | 'prompt' = 'argument',
): BadPlaceholder[] {
  const problems = checkTemplate(text, within === 'argument' ? inArgument : inPrompt);
  const bad = problems.map(({ at: place, message, fix, suggestion }): BadPlaceholder => {
    const at = text.lastIndexOf('${{', place);
    const end = text.indexOf('}}', at);
    const name = text.slice(at + 3, end < 0 ? undefined : end).trim();
    return { name, at, message, fix, ...(suggestion === undefined ? {} : { suggestion }) };
  });
  return within === 'argument' ? bad : [...bad, ...listed(text)].sort((a, b) => a.at - b.at);
}

/** The files of a batch are several arguments, which is nothing that a text can hold. */
function listed(text: string): BadPlaceholder[] {
  return scanTemplate(text).template.parts.flatMap((part) => {
    const root = part.kind === 'expression' ? part.expression.root : undefined;
    if (root?.kind !== 'context' || root.name !== 'files') return [];
    const message = '`files` is a list, which a text cannot hold';
    const fix =
      'Write `${{ file.path }}` or `${{ length(files) }}`; `$SLUICE_FILES` names a file with the paths of all.';
    return [{ name: 'files', at: text.lastIndexOf('${{', root.at), message, fix }];
  });
}

/** @param inputs The files of a batch; default: the one. */
export function placeholderValues(
  input: PlaceholderInput,
  prompt = '',
  inputs: readonly PlaceholderInput[] = [input],
): PlaceholderValues {
  const file = fileOf(input);
  const contexts = new Map<string, string | FileValue | readonly FileValue[]>([
    ['file', file],
    ['files', inputs.map(fileOf)],
    ['prompt', prompt],
  ]);
  return {
    'file.path': file.path,
    'file.rel': file.rel,
    'file.name': file.name,
    'file.stem': file.stem,
    'file.ext': file.ext,
    'file.dir': file.dir,
    'file.root': file.root,
    'file.sha256': file.sha256,
    'file.bytes': String(file.bytes),
    prompt,
    scope: { context: (name) => contexts.get(name) },
  };
}

/**
 * @returns a string as `types/path-bytes.ts` writes bytes: the values of `file.*` may hold such bytes already.
 * @throws {ExpressionError} for what only its values make wrong; the rest is refused when the configuration is loaded.
 */
export function interpolate(text: string, { scope }: PlaceholderValues): string {
  return renderTextNow(literal(text), scope);
}

/** A word of a command taken apart: the same for each attempt. */
export function parseWord(word: string): Template {
  return parseTemplate(literal(word));
}

/** The argument that a word of a command stands for; `${{ files }}` alone: one for each file of the batch. */
export function interpolateWord(word: Template, { scope }: PlaceholderValues): readonly string[] {
  return renderArgumentsNow(word, scope);
}

/** The prompt with its placeholders replaced; ready to stand for `prompt` in `placeholderValues`. */
export function renderPrompt(
  prompt: string,
  input: PlaceholderInput,
  inputs?: readonly PlaceholderInput[],
): string {
  return interpolate(prompt, placeholderValues(input, '', inputs));
}

/** Literal text that happens to hold the characters which stand for bytes is written so that it means itself. */
export function literal(text: string): string {
  return pathFromBytes(Buffer.from(text));
}

/** The other way round. Names that are no text keep the characters that stand for their bytes. */
export function unliteral(text: string): string {
  // The UTF-8 of U+EF80..U+EFFF, each byte of it as such a character.
  return text.replace(/\uefee[\uefbe\uefbf][\uef80-\uefbf]/g, (bytes) => pathToBytes(bytes).toString('utf8'));
}

function fileOf({ rootDir, path, file, sha256, bytes }: PlaceholderInput): FileValue {
  return fileValue({ root: rootDir, rel: path, path: file, sha256, bytes });
}

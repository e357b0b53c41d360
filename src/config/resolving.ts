/** What the parts of the resolver share: where the file lies, what was found, what was read on the way. */
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import type { AppError } from '../types/errors.ts';
import type { Diagnostic } from './diagnostic.ts';
import { findReferences, malformedReferences, referenceKinds } from './reference.ts';
import type { Findings, Path } from './source.ts';
import { nearest } from './suggest.ts';

/** Data whose invalid parts were taken out: whatever is there has the right type. */
export type Loose<T> = T extends readonly (infer I)[]
  ? readonly (Loose<I> | undefined)[]
  : T extends object
    ? { readonly [K in keyof T]?: Loose<T[K]> }
    : T;

export interface Resolving {
  readonly projectDir: string;
  readonly findings: Findings;
  /** Absolute paths of further files the configuration is made from. */
  readonly files: Set<string>;
  /** Answers why a text with references cannot be resolved now. Absent: not checked. */
  readonly checkReference?: ((text: string) => Promise<AppError | undefined>) | undefined;
  /** Finds the `${{ … }}` in a text that mean nothing. Absent: not checked. */
  readonly checkPlaceholders?: PlaceholderCheck | undefined;
  /** Where commands are looked for: the value of PATH. */
  readonly searchPath: string;
  /** What was found in further files: those of workflows, and the prompts and templates of their steps. */
  readonly others: { readonly list: readonly Diagnostic[] }[];
  /** Finds what is wrong with the template of a report. Absent: not checked. */
  readonly checkReportTemplate?: ReportTemplateCheck | undefined;
  /** In steps of workflows: `${{ … }}` is filled in, and checked by this. Absent: it is refused where it is not filled in. */
  readonly checkTemplate?: ((path: Path, text: string) => void) | undefined;
}

export type ReportTemplateCheck = (
  text: string,
) => Promise<readonly { readonly message: string; readonly line?: number; readonly column?: number }[]>;

export type PlaceholderCheck = (
  text: string,
  within: 'argument' | 'prompt',
) => readonly {
  readonly name: string;
  readonly at: number;
  readonly suggestion?: string;
  readonly message?: string;
  readonly fix?: string;
}[];

/** For arguments and prompts: every `${{ … }}` must name something. */
export function refuseBadPlaceholders(
  { findings, checkPlaceholders }: Resolving,
  path: Path,
  text: string,
  within: 'argument' | 'prompt',
): void {
  for (const { name, suggestion, message, fix } of checkPlaceholders?.(text, within) ?? [])
    findings.error(
      'BAD_PLACEHOLDER',
      path,
      message === undefined
        ? `unknown value "${name}" in \`\${{ … }}\``
        : `${message} in \`\${{ ${name} }}\``,
      fix ??
        (suggestion === undefined
          ? 'Use `${{ file.path }}`, `${{ file.name }}` and their like.'
          : `did you mean "${suggestion}"?`),
    );
}

/** An absolute path; relative ones start at the project folder, `~/` at the home folder. */
export function projectPath({ projectDir }: { readonly projectDir: string }, path: string): string {
  return path === '~' || path.startsWith('~/')
    ? resolve(homedir(), path.slice(2))
    : resolve(projectDir, path);
}

/** For values that may hold references: they must be well formed, and should be resolvable. */
export async function checkReferences(context: Resolving, path: Path, text: string): Promise<void> {
  if (context.checkTemplate) context.checkTemplate(path, text);
  else if (text.includes('${{'))
    context.findings.error(
      'BAD_PLACEHOLDER',
      path,
      '`${{ … }}` is not filled in here',
      'It is filled in in `command` and `prompt` only; an HTTP agent gets the file and its metadata in the request.',
    );
  for (const found of malformedReferences(text)) {
    const near = nearest(found.kind, referenceKinds);
    context.findings.error(
      'BAD_REFERENCE',
      path,
      found.known
        ? `"${found.text}" is no valid reference`
        : `"${found.text}" refers to an unknown kind of secret`,
      `${!found.known && near ? `did you mean "${near}"? ` : ''}Write \${env:NAME}, \${file:/path}, \${credential:NAME} or \${age:FILE#KEY}.`,
    );
  }
  if (findReferences(text).length === 0) return;
  const problem = await context.checkReference?.(text);
  if (problem)
    context.findings.warning(
      problem.code === 'SECRET_EXPOSED' ? 'SECRET_EXPOSED' : 'SECRET_UNRESOLVED',
      path,
      problem.message,
      problem.fix,
    );
}

/** For values in which references are not resolved: there they would be taken literally. */
export function refuseReferences({ findings }: Resolving, path: Path, text: string): void {
  const [found] = findReferences(text);
  if (found)
    findings.error(
      'BAD_REFERENCE',
      path,
      `"${found.text}" is not resolved here`,
      'Secrets are resolved in `env` values, `url` and `headers` of agents and the `webhook` of alerts only.',
    );
}

/** Names are made from file names and patterns, which may hold anything. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is replaced
  return text.replace(/[\u0000-\u001f]/g, '·');
}

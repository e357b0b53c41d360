/**
 * Templates of `report` steps: Liquid, over values that are data. A template cannot read a file, load another template or
 * run code, and one that would never end, or fill the memory, ends as an error with its place.
 *
 * Each is rendered in a thread of its own with a bound on time and memory: the limits of the language are only looked at
 * between its tags, and the daemon must not stand still while a report is made.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { closest } from 'fastest-levenshtein';
import { AppError, messageOf } from '../types/errors.ts';
import { entryModule } from '../types/module-path.ts';
import {
  namesRead,
  parseTemplate,
  type Rendered,
  type TemplateFormat,
  type TemplateLimits,
  type TemplateProblem,
  templateLimits,
} from './template-language.ts';
import type { TemplateTask } from './template-worker.ts';

export type { TemplateFormat, TemplateLimits, TemplateProblem };

export interface TemplateOptions {
  /** Where the template stands: for messages. */
  readonly file: string;
  /** `html`: what `{{ … }}` gives is escaped, unless it says `| raw`. Default: `text`. */
  readonly format?: TemplateFormat;
  readonly limits?: Partial<TemplateLimits>;
  readonly signal?: AbortSignal;
}

/** After its time is up the language has this long to say where it was. */
const graceMs = 2_000;
const workerMemory = { maxOldGenerationSizeMb: 384, maxYoungGenerationSizeMb: 32 };

/** What is put into an HTML file is escaped. */
export function formatFor(output: string): TemplateFormat {
  return /\.(x?html?|svg|xml)$/i.test(output) ? 'html' : 'text';
}

/**
 * @throws AppError `TEMPLATE` with file, line, column; `signal.reason` on abort.
 */
export async function renderTemplate(
  text: string,
  values: Readonly<Record<string, unknown>>,
  { file, format = 'text', limits: own, signal }: TemplateOptions,
): Promise<string> {
  signal?.throwIfAborted();
  const limits = { ...templateLimits, ...own };
  const rendered = await renderApart({ text, values: plain(values), format, limits }, signal);
  if ('text' in rendered) return rendered.text;
  throw templateError(file, rendered.problem);
}

/**
 * At load: syntax, unknown tags and filters, names that nothing sets. Empty: nothing to complain about.
 * @param known Names that there will be (`steps`, `inputs`, what `with` gives …); absent: any.
 */
export function checkTemplate(text: string, known?: readonly string[]): readonly TemplateProblem[] {
  const made = parseTemplate(text);
  if ('problem' in made) return [made.problem];
  if (known === undefined) return [];
  return namesRead(made)
    .filter((name) => !known.includes(name))
    .map((name) => ({ message: unknownName(name, known), ...placeOf(text, name) }));
}

export function templateError(file: string, problem: TemplateProblem): AppError {
  const place = problem.line === undefined ? '' : `:${problem.line}:${problem.column ?? 1}`;
  const excerpt = problem.excerpt === undefined ? '' : `\n${problem.excerpt}`;
  return new AppError('TEMPLATE', `The template ${file}${place}: ${problem.message}${excerpt}`, {
    fix: 'Correct the template; the language is Liquid, without `include`, `render` and `layout`.',
  });
}

async function renderApart(task: TemplateTask, signal: AbortSignal | undefined): Promise<Rendered> {
  const worker = new Worker(entryModule('workflows/template-worker'), {
    workerData: task,
    resourceLimits: workerMemory,
    stdout: true,
    stderr: true,
  });
  const ended = new AbortController();
  worker.once('exit', () => ended.abort());
  const patience = AbortSignal.timeout(task.limits.timeMs + graceMs);
  const signals = [patience, ended.signal, ...(signal === undefined ? [] : [signal])];
  try {
    const [reply] = (await once(worker, 'message', { signal: AbortSignal.any(signals) })) as [Rendered];
    return reply;
  } catch (error) {
    signal?.throwIfAborted();
    if (patience.aborted) return { problem: { message: 'it takes too long' } };
    const memory = (error as { code?: unknown }).code === 'ERR_WORKER_OUT_OF_MEMORY';
    return {
      problem: {
        message: memory ? 'it needs too much memory' : `it cannot be rendered: ${messageOf(error)}`,
      },
    };
  } finally {
    await worker.terminate();
  }
}

/** JSON and nothing else: no getters, no prototypes, and nothing that a thread cannot be sent. */
function plain(values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return JSON.parse(JSON.stringify(values)) as Record<string, unknown>;
}

function unknownName(name: string, known: readonly string[]): string {
  const near = known.length > 0 ? closest(name, [...known]) : undefined;
  return `nothing is called "${name}"${near === undefined ? '' : `; did you mean "${near}"?`}`;
}

/** Where a name first stands inside braces. */
function placeOf(text: string, name: string): { line?: number; column?: number } {
  for (const { 0: inside, index } of text.matchAll(/\{[{%][\s\S]*?[%}]\}/g)) {
    const at = inside.search(new RegExp(`(?<![\\w.-])${RegExp.escape(name)}(?![\\w-])`, 'u'));
    if (at === -1) continue;
    const before = text.slice(0, index + at).split('\n');
    return { line: before.length, column: (before.at(-1) ?? '').length + 1 };
  }
  return {};
}

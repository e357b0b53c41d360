/**
 * The language of report templates: Liquid without the tags that load other templates, with a few filters for what reports
 * show. Everything here is synchronous and bounded as far as the language bounds itself; `render-template.ts` runs it in a
 * thread, because a filter that takes long over a hostile text has no point at which it could be asked to stop.
 */
import { Context, type Emitter, Liquid, type Template, toValueSync } from 'liquidjs';
import { formatDollars } from '../types/dollars.ts';
import { formatElapsed } from '../types/elapsed.ts';
import { messageOf } from '../types/errors.ts';

/** `html`: what `{{ … }}` gives is escaped, unless it says `| raw`. */
export type TemplateFormat = 'html' | 'text';

export interface TemplateLimits {
  readonly templateChars: number;
  readonly timeMs: number;
  /** Of texts and lists that the template makes. */
  readonly memoryChars: number;
  readonly outputChars: number;
}

export const templateLimits: TemplateLimits = {
  templateChars: 1024 * 1024,
  timeMs: 10_000,
  memoryChars: 64 * 1024 * 1024,
  outputChars: 32 * 1024 * 1024,
};

export interface TemplateProblem {
  readonly message: string;
  /** 1-based; absent where the place is not known. */
  readonly line?: number;
  readonly column?: number;
  /** The line with a mark under the place. */
  readonly excerpt?: string;
}

export type Rendered = { readonly text: string } | { readonly problem: TemplateProblem };

/** Names of other templates would be paths. */
const refusedTags = ['include', 'render', 'layout', 'block'];

/** @returns the parsed template, or what is wrong with it. */
export function parseTemplate(
  text: string,
  format: TemplateFormat = 'text',
  limits: TemplateLimits = templateLimits,
): { readonly language: Liquid; readonly parsed: Template[] } | { readonly problem: TemplateProblem } {
  if (text.length > limits.templateChars)
    return { problem: { message: `it is longer than ${limits.templateChars} characters` } };
  const language = createLanguage(format, limits);
  try {
    return { language, parsed: language.parse(text) };
  } catch (error) {
    return { problem: problemOf(error) };
  }
}

/** The names that a template reads and does not set itself. */
export function namesRead({ language, parsed }: { language: Liquid; parsed: Template[] }): readonly string[] {
  return language.globalVariablesSync(parsed);
}

export function renderHere(
  text: string,
  values: Readonly<Record<string, unknown>>,
  format: TemplateFormat,
  limits: TemplateLimits,
): Rendered {
  const made = parseTemplate(text, format, limits);
  if ('problem' in made) return made;
  const { language, parsed } = made;
  const output = new BoundedText(limits.outputChars);
  try {
    const context = new Context({ ...values }, language.options, { sync: true }, { liquid: language });
    // With an output of our own: what passes its bound is told with its place.
    toValueSync(language.renderer.renderTemplates(parsed, context, output));
    return { text: output.buffer };
  } catch (error) {
    return { problem: problemOf(error) };
  }
}

class BoundedText implements Emitter {
  buffer = '';
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  write(html: unknown): void {
    this.buffer += typeof html === 'string' ? html : String(html ?? '');
    if (this.buffer.length > this.#max) throw new Error(`it gives more than ${this.#max} characters`);
  }
}

function createLanguage(format: TemplateFormat, limits: TemplateLimits): Liquid {
  const language = new Liquid({
    // No file system: there is nothing to look templates up in.
    templates: {},
    dynamicPartials: false,
    ownPropertyOnly: true,
    strictFilters: true,
    strictVariables: false,
    parseLimit: limits.templateChars,
    renderLimit: limits.timeMs,
    memoryLimit: limits.memoryChars,
    ...(format === 'html' && { outputEscape: 'escape' as const }),
  });
  for (const name of refusedTags) delete language.tags[name];
  language.registerFilter('duration', (ms: unknown) => (typeof ms === 'number' ? formatElapsed(ms) : ''));
  language.registerFilter('usd', (usd: unknown) => (typeof usd === 'number' ? formatDollars(usd) : ''));
  language.registerFilter('bytes', (bytes: unknown) => (typeof bytes === 'number' ? bytesText(bytes) : ''));
  language.registerFilter('md', (value: unknown) => markdownText(value));
  return language;
}

function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [at, n] = [0, bytes];
  while (n >= 1024 && at < units.length - 1) [at, n] = [at + 1, n / 1024];
  return `${at === 0 || n >= 9.95 ? Math.round(n) : n.toFixed(1)} ${units[at]}`;
}

/** One line of Markdown that reads as the text did, in a table too. */
function markdownText(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.replace(/[\\`*_{}[\]<>#|!&~]/g, '\\$&').replace(/\s*[\r\n]+\s*/g, ' ');
}

function problemOf(error: unknown): TemplateProblem {
  const { token, context, originalError } = error as {
    token?: { getPosition?: () => readonly number[] };
    context?: unknown;
    originalError?: unknown;
  };
  const [line, column] = token?.getPosition?.() ?? [];
  return {
    message: messageOf(originalError ?? error)
      .replace(/, (file:.*, )?line:\d+, col:\d+$/s, '')
      .replace(/^memory alloc limit exceeded$/, 'it makes more text and lists than a report may')
      .replace(/^template render limit exceeded$/, 'it takes too long'),
    ...(line !== undefined && column !== undefined && { line, column }),
    ...(typeof context === 'string' && context !== '' && { excerpt: context.slice(0, 2000) }),
  };
}

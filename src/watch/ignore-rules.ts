/**
 * Patterns of one origin, gitignore syntax, as package `ignore` judges them: the built-in list, a root's own list, or one
 * `.sluiceignore`. `ignore` remembers every path it was asked about, for ever; a watcher asks about millions, so it is
 * made anew now and then.
 */
import { createHash } from 'node:crypto';
import ignore, { type Ignore } from 'ignore';

export interface PatternLine {
  readonly pattern: string;
  /** Where it stands, as `sluice why` shows it: `default`, `watch[0].ignore`, `/a/.sluiceignore:3`. */
  readonly source: string;
}

export interface Verdict {
  readonly ignored: boolean;
  readonly line?: PatternLine;
}

const questionsPerInstance = 20_000;

export class IgnoreRules {
  /** Equal for equal patterns. */
  readonly version: string;
  readonly #lines: readonly PatternLine[];
  #judge: Ignore;
  #questions = 0;

  constructor(lines: readonly PatternLine[]) {
    this.#lines = lines;
    this.#judge = this.#build();
    this.version = createHash('sha256')
      .update(lines.map((line) => line.pattern).join('\n'))
      .digest('base64')
      .slice(0, 12);
  }

  /**
   * @param path Relative to where the patterns belong; folders end with `/`.
   * @returns undefined when no pattern speaks about this path itself.
   */
  test(path: string): Verdict | undefined {
    if (this.#lines.length === 0) return undefined;
    if (++this.#questions > questionsPerInstance) {
      this.#judge = this.#build();
      this.#questions = 0;
    }
    const result = this.#judge.test(path);
    if (result.unignored) return { ignored: false };
    if (!result.ignored) return undefined;
    const line = this.#lines[Number(result.rule?.mark)];
    return line === undefined ? { ignored: true } : { ignored: true, line };
  }

  #build(): Ignore {
    const judge = ignore({ ignorecase: false, allowRelativePaths: true });
    judge.add(this.#lines.map(({ pattern }, index) => ({ pattern, mark: String(index) })));
    return judge;
  }
}

/** The lines of a `.sluiceignore`. */
export function parseIgnoreFile(text: string, file: string): PatternLine[] {
  return text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .map((pattern, index) => ({ pattern, source: `${file}:${index + 1}` }))
    .filter(({ pattern }) => pattern !== '' && !pattern.startsWith('#'));
}

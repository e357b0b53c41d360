/**
 * Takes a command line apart into the programs it would start: what the tripwire needs and no more. It knows quotes,
 * operators, substitutions, redirections, here-documents and comments; it expands nothing and judges nothing. A whole
 * grammar was rejected: the line of an agent is a claim, the sandbox is what holds.
 */

/** What is joined by `|`. */
export type Pipeline = readonly SimpleCommand[];

export interface SimpleCommand {
  readonly words: readonly string[];
  /** What stands in its `$( )`, backquotes and `<( )`. */
  readonly inner: readonly Pipeline[];
}

const maxChars = 64 << 10;
const maxDepth = 8;

/** @returns every pipeline of the line, those in substitutions within their command. */
export function parseShell(text: string, depth = 0): readonly Pipeline[] {
  return depth > maxDepth ? [] : new ShellReader(text.slice(0, maxChars), depth).read();
}

class ShellReader {
  readonly #text: string;
  readonly #depth: number;
  readonly #pipelines: Pipeline[] = [];
  #at = 0;
  #pipeline: SimpleCommand[] = [];
  #words: string[] = [];
  #inner: Pipeline[] = [];
  #word: string | undefined;
  /** The next word is where a redirection goes, not an argument. */
  #isTarget = false;
  #heredocs: string[] = [];
  #isDelimiter = false;

  constructor(text: string, depth: number) {
    this.#text = text;
    this.#depth = depth;
  }

  read(): readonly Pipeline[] {
    while (this.#at < this.#text.length) this.#step(this.#text[this.#at] as string);
    this.#endPipeline();
    return this.#pipelines;
  }

  #step(char: string): void {
    const next = this.#text[this.#at + 1];
    if (char === "'") this.#add(this.#upTo("'"));
    else if (char === '"') this.#doubleQuoted();
    else if (char === '\\') {
      // A backslash before the end of a line joins the lines.
      if (next !== '\n') this.#add(next ?? '');
      this.#at += 2;
    } else if (char === '`') this.#substitution(this.#upTo('`'));
    else if (next === '(' && (char === '$' || char === '<' || char === '>'))
      this.#substitution(this.#parenthesised());
    else if (char === '<' || char === '>') this.#redirection(char);
    else if (char === '#' && this.#word === undefined) this.#skipLine();
    else if (' \t\r'.includes(char)) this.#skip(1, () => this.#endWord());
    else if (char === '|' && next !== '|') this.#skip(next === '&' ? 2 : 1, () => this.#endCommand());
    else if (char === '\n') this.#newline();
    // `2>&1`, `&>file`
    else if (char === '&' && ((this.#isTarget && this.#word === undefined) || next === '>')) this.#at += 1;
    else if (';&|(){}'.includes(char) && !this.#isInBraces(char)) this.#skip(1, () => this.#endPipeline());
    else this.#skip(1, () => this.#add(char));
  }

  #skip(chars: number, act: () => void): void {
    this.#at += chars;
    act();
  }

  #add(text: string): void {
    this.#word = (this.#word ?? '') + text;
  }

  /** `{` and `}` group commands only where they stand alone: `a{b,c}` and `${x}` are words. */
  #isInBraces(char: string): boolean {
    if (char !== '{' && char !== '}') return false;
    const after = this.#text[this.#at + 1];
    return this.#word !== undefined || !(after === undefined || /[\s;)]/.test(after));
  }

  /** From behind an opening quote to its end; an end that is missing is the end of the text. */
  #upTo(quote: string): string {
    const from = this.#at + 1;
    let end = from;
    while (end < this.#text.length && this.#text[end] !== quote)
      end += quote === '`' && this.#text[end] === '\\' ? 2 : 1;
    this.#at = end + 1;
    return this.#text.slice(from, end);
  }

  #doubleQuoted(): void {
    this.#at += 1;
    this.#add('');
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at] as string;
      const next = this.#text[this.#at + 1];
      if (char === '"') {
        this.#at += 1;
        return;
      }
      if (char === '\\' && next !== undefined && '"\\$`\n'.includes(next)) {
        this.#at += 2;
        if (next !== '\n') this.#add(next);
      } else if (char === '`') this.#substitution(this.#upTo('`'));
      else if (char === '$' && next === '(') this.#substitution(this.#parenthesised());
      else this.#skip(1, () => this.#add(char));
    }
  }

  /** Stands at the character before a parenthesis: gives what is in it. */
  #parenthesised(): string {
    const from = this.#at + 2;
    let open = 1;
    let end = from;
    for (let quote = ''; end < this.#text.length; end++) {
      const char = this.#text[end] as string;
      if (char === '\\' && quote !== "'") end += 1;
      else if (quote !== '') quote = char === quote ? '' : quote;
      else if (char === "'" || char === '"') quote = char;
      else if (char === '(') open += 1;
      else if (char === ')' && --open === 0) break;
    }
    this.#at = end + 1;
    return this.#text.slice(from, end);
  }

  #substitution(text: string): void {
    this.#add('');
    this.#inner.push(...parseShell(text, this.#depth + 1));
  }

  #redirection(char: string): void {
    // The 2 of `2>file` is no argument.
    if (this.#word !== undefined && /^\d+$/.test(this.#word)) this.#word = undefined;
    this.#endWord();
    const rest = this.#text.slice(this.#at, this.#at + 3);
    if (rest === '<<<') this.#at += 3;
    else if (rest.startsWith('<<')) {
      this.#isDelimiter = true;
      this.#at += rest === '<<-' ? 3 : 2;
    } else this.#at += rest[1] === char ? 2 : 1;
    this.#isTarget = true;
  }

  #newline(): void {
    this.#at += 1;
    this.#endPipeline();
    // The bodies of here-documents are data.
    for (const delimiter of this.#heredocs.splice(0))
      while (this.#at < this.#text.length) {
        const from = this.#at;
        this.#skipLine();
        const line = this.#text.slice(from, this.#at);
        this.#at += 1;
        if (line.trim() === delimiter) break;
      }
  }

  /** To the end of the line, without it. */
  #skipLine(): void {
    const end = this.#text.indexOf('\n', this.#at);
    this.#at = end < 0 ? this.#text.length : end;
  }

  #endWord(): void {
    const word = this.#word;
    this.#word = undefined;
    if (word === undefined) return;
    if (this.#isDelimiter) this.#heredocs.push(word);
    else if (!this.#isTarget) this.#words.push(word);
    this.#isTarget = false;
    this.#isDelimiter = false;
  }

  #endCommand(): void {
    this.#endWord();
    this.#isTarget = false;
    if (this.#words.length > 0 || this.#inner.length > 0)
      this.#pipeline.push({ words: this.#words, inner: this.#inner });
    this.#words = [];
    this.#inner = [];
  }

  #endPipeline(): void {
    this.#endCommand();
    if (this.#pipeline.length > 0) this.#pipelines.push(this.#pipeline);
    this.#pipeline = [];
  }
}

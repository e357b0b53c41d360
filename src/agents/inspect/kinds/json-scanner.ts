/**
 * Reads JSON (RFC 8259) without building it: place and reason of the first error, shape, keys that occur twice.
 * `JSON.parse` was rejected as the reader: its messages often lack the place, it keeps silent about double keys, and
 * what it builds can take thirty times the file's size. Not recursive: 100,000 open brackets are nothing special.
 */
import { bounds } from '../bounds.ts';
import { itemPath, keyPath, type Shape } from '../shape.ts';

export interface JsonError {
  readonly offset: number;
  readonly message: string;
}

export interface JsonFindings {
  /** Undefined: valid. */
  readonly error?: JsonError;
  /** After the first value comes another one: the file may be JSON Lines. */
  readonly moreAt?: number;
  /** Keys that occur twice in one object: allowed, but the first value is lost in most programs. */
  readonly duplicates: Duplicates;
}

/** `first` holds the first 20 of `total`. */
export interface Duplicates {
  readonly total: number;
  readonly first: readonly { readonly key: string; readonly offset: number }[];
}

interface Level {
  readonly object: boolean;
  readonly path: string | undefined;
  length: number;
  /** Only near the top: deep down, memory matters more. */
  readonly keys?: Set<string>;
}

const numberForm = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const literals = { t: 'true', f: 'false', n: 'null' } as const;

/** @param top Path of the top value: `''`, or `[]` for a line of JSON Lines. */
export function scanJson(text: string, shape: Shape, top = ''): JsonFindings {
  const scan = new Scan(text, shape, top);
  try {
    scan.run();
    return { duplicates: scan.duplicates };
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    return {
      error: { offset: error.offset, message: error.message },
      duplicates: scan.duplicates,
      ...(scan.moreAt !== undefined && { moreAt: scan.moreAt }),
    };
  }
}

// Thrown and caught in this file only. Not an Error: a file of a million bad lines would collect a million stacks.
class Stop {
  readonly offset: number;
  readonly message: string;
  constructor(offset: number, message: string) {
    this.offset = offset;
    this.message = message;
  }
}

class Scan {
  readonly duplicates = { total: 0, first: [] as { key: string; offset: number }[] };
  moreAt: number | undefined;
  readonly #text: string;
  readonly #shape: Shape;
  readonly #levels: Level[] = [];
  #path: string | undefined;
  #at = 0;

  constructor(text: string, shape: Shape, top: string) {
    this.#text = text;
    this.#shape = shape;
    this.#path = top;
  }

  run(): void {
    do this.#value();
    while (this.#afterValue());
    if (this.#at < this.#text.length) {
      if (/["{[\d]/.test(this.#text.charAt(this.#at))) this.moreAt = this.#at;
      throw this.#expected('nothing more after the value');
    }
  }

  /** Reads up to and including one scalar or empty container; opens levels on the way. */
  #value(): void {
    for (;;) {
      this.#space();
      const char = this.#text.charAt(this.#at);
      if (char !== '{' && char !== '[') return this.#scalar(char);
      const depth = this.#levels.length;
      const object = char === '{';
      this.#shape.add(this.#path, object ? 'object' : 'array', depth);
      const keys = object && depth < bounds.shapeDepth ? { keys: new Set<string>() } : {};
      this.#levels.push({ object, path: this.#path, length: 0, ...keys });
      this.#at += 1;
      this.#space();
      if (this.#text.charAt(this.#at) === (object ? '}' : ']')) return this.#close();
      this.#next();
    }
  }

  /** After a value: closes what ends here. True when another value follows. */
  #afterValue(): boolean {
    for (;;) {
      this.#space();
      const level = this.#levels.at(-1);
      if (level === undefined) return false;
      const char = this.#text.charAt(this.#at);
      const end = level.object ? '}' : ']';
      if (char === end) {
        this.#close();
      } else if (char === ',') {
        const comma = this.#at;
        this.#at += 1;
        this.#space();
        if (this.#text.charAt(this.#at) === end) throw new Stop(comma, `a comma before \`${end}\``);
        this.#next();
        return true;
      } else throw this.#expected(`\`,\` or \`${end}\``);
    }
  }

  /** Where the next item of the open level begins: reads its key. */
  #next(): void {
    const level = this.#levels.at(-1) as Level;
    level.length += 1;
    const depth = this.#levels.length;
    if (!level.object) {
      this.#path = itemPath(level.path, depth);
      return;
    }
    const start = this.#at;
    if (this.#text.charAt(start) !== '"') throw this.#expected('a key in double quotes');
    this.#string();
    const key = level.keys === undefined ? '' : (JSON.parse(this.#text.slice(start, this.#at)) as string);
    if (level.keys?.has(key)) {
      this.duplicates.total += 1;
      if (this.duplicates.first.length < 20)
        this.duplicates.first.push({ key: key.slice(0, 200), offset: start });
    }
    level.keys?.add(key);
    this.#path = keyPath(level.path, key, depth);
    this.#space();
    if (this.#text.charAt(this.#at) !== ':') throw this.#expected('`:` after the key');
    this.#at += 1;
  }

  #close(): void {
    const level = this.#levels.pop() as Level;
    if (!level.object) this.#shape.items(level.path, level.length);
    this.#at += 1;
  }

  #scalar(char: string): void {
    const depth = this.#levels.length;
    if (char === '"') {
      this.#string();
      return this.#shape.add(this.#path, 'string', depth);
    }
    numberForm.lastIndex = this.#at;
    if (numberForm.test(this.#text)) {
      this.#at = numberForm.lastIndex;
      if (/[\w.+]/.test(this.#text.charAt(this.#at)))
        throw new Stop(this.#at, 'not a number as JSON writes it');
      return this.#shape.add(this.#path, 'number', depth);
    }
    const literal = literals[char as keyof typeof literals] as string | undefined;
    if (literal === undefined || !this.#text.startsWith(literal, this.#at)) throw this.#expected('a value');
    this.#at += literal.length;
    this.#shape.add(this.#path, literal === 'null' ? 'null' : 'boolean', depth);
  }

  #string(): void {
    const start = this.#at;
    for (let at = start + 1; at < this.#text.length; at += 1) {
      const char = this.#text.charCodeAt(at);
      if (char === 0x22) {
        this.#at = at + 1;
        return;
      }
      if (char < 0x20)
        throw new Stop(
          at,
          char === 10 || char === 13 ? 'a string ends with its line' : 'a control character in a string',
        );
      if (char === 0x5c) {
        at += 1;
        const letter = this.#text.charAt(at);
        if (letter === 'u') {
          if (!/^[\da-fA-F]{4}$/.test(this.#text.slice(at + 1, at + 5)))
            throw new Stop(at - 1, 'an unknown escape');
          at += 4;
        } else if (letter === '' || !'"\\/bfnrt'.includes(letter))
          throw new Stop(at - 1, 'an unknown escape');
      }
    }
    throw new Stop(start, 'a string that is not closed');
  }

  #space(): void {
    for (;;) {
      const char = this.#text.charCodeAt(this.#at);
      if (char !== 32 && char !== 10 && char !== 13 && char !== 9) return;
      this.#at += 1;
    }
  }

  #expected(what: string): Stop {
    const found = this.#text.charAt(this.#at);
    if (found === '') return new Stop(this.#at, `the file ends where ${what} should be`);
    const rest = this.#text.slice(this.#at, this.#at + 10);
    const hint =
      found === '/' || found === '#'
        ? ' (JSON has no comments)'
        : found === "'"
          ? ' (JSON uses double quotes)'
          : /^-?(NaN|Infinity|undefined|None|True|False)/.test(rest)
            ? ' (JSON has no such value)'
            : '';
    return new Stop(this.#at, `expected ${what}${hint}`);
  }
}

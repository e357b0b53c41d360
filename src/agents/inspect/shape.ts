/**
 * The shape of structured data: which paths there are (`orders[].id`), with which types, how often. JSON, YAML and
 * TOML all report to it while they are walked, so that no second copy of the data is built.
 */
import { bounds } from './bounds.ts';
import { blocks, code, count, number, table } from './markup.ts';

export type ValueType = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null' | 'date' | 'alias';

interface Entry {
  total: number;
  readonly types: Map<ValueType, number>;
  /** Of arrays: fewest and most items. */
  least: number;
  most: number;
}

export class Shape {
  readonly #entries = new Map<string, Entry>();
  #left = 0;
  #values = 0;
  #depth = 0;

  /** @param path Undefined when it is deeper than is followed. @param depth 0 for the top value. */
  add(path: string | undefined, type: ValueType, depth: number): void {
    this.#values += 1;
    if (depth > this.#depth) this.#depth = depth;
    const entry = path === undefined ? undefined : this.#entry(path);
    if (entry === undefined) return;
    entry.total += 1;
    entry.types.set(type, (entry.types.get(type) ?? 0) + 1);
  }

  /** An array at `path` has ended. */
  items(path: string | undefined, length: number): void {
    const entry = path === undefined ? undefined : this.#entries.get(path);
    if (entry === undefined) return;
    entry.least = Math.min(entry.least, length);
    entry.most = Math.max(entry.most, length);
  }

  /** What the top value is, in a few words: `object with 3 keys`, `array of 120 items`. */
  top(): string {
    const top = this.#entries.get('');
    const type = top === undefined ? undefined : [...top.types.keys()][0];
    if (top === undefined || type === undefined) return 'no value';
    if (type === 'array' && top.most >= 0) return `array of ${count(top.most, 'item')}`;
    if (type !== 'object') return type;
    const keys = [...this.#entries.keys()].filter((path) => path !== '' && /^[^.[]+$/.test(path)).length;
    return `object with ${this.#left > 0 ? 'at least ' : ''}${count(keys, 'key')}`;
  }

  report(): string {
    const rows = [...this.#entries]
      .slice(0, 60)
      .map(([path, entry]) => [
        path === '' ? '(top)' : code(path),
        [...entry.types]
          .map(([type, n]) => (entry.types.size === 1 ? type : `${type} × ${number(n)}`))
          .join(', '),
        number(entry.total),
        entry.most < 0
          ? ''
          : entry.least === entry.most
            ? number(entry.most)
            : `${number(entry.least)}–${number(entry.most)}`,
      ]);
    const hidden = this.#entries.size - rows.length;
    return blocks(
      `Values: ${number(this.#values)}; depth: ${number(this.#depth)}.`,
      table(['Path', 'Type', 'Values', 'Items'], rows),
      hidden > 0 || this.#left > 0
        ? `Not listed: ${number(hidden)} more paths${this.#left > 0 ? `, and ${number(this.#left)} values on paths that were not followed` : ''}.`
        : '',
    );
  }

  #entry(path: string): Entry | undefined {
    const known = this.#entries.get(path);
    if (known !== undefined) return known;
    if (this.#entries.size >= bounds.shapePaths) {
      this.#left += 1;
      return undefined;
    }
    const entry: Entry = { total: 0, types: new Map(), least: Number.POSITIVE_INFINITY, most: -1 };
    this.#entries.set(path, entry);
    return entry;
  }
}

/** The path of a key below `parent`; keys that would read as a path are quoted. */
export function keyPath(parent: string | undefined, key: string, depth: number): string | undefined {
  if (parent === undefined || depth > bounds.shapeDepth) return undefined;
  const name = /^[^.[\]"\s]{1,60}$/.test(key)
    ? key
    : JSON.stringify(key.slice(0, 60)).replaceAll('[', '(').replaceAll('.', '·');
  return parent === '' ? name : `${parent}.${name}`;
}

export function itemPath(parent: string | undefined, depth: number): string | undefined {
  return parent === undefined || depth > bounds.shapeDepth ? undefined : `${parent}[]`;
}

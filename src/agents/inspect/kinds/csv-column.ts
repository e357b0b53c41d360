/** What one column of a table holds: types, empties, smallest and largest value, one value at a time. */
import { clip, code, number } from '../markup.ts';

export type CellType = 'integer' | 'number' | 'date' | 'boolean' | 'text';

const isoDate = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?$/;
const otherDate = /^(?:\d{1,2}\.\d{1,2}\.\d{4}|\d{1,2}\/\d{1,2}\/\d{4})$/;

/** @param decimalComma `12,50` is a number too: so it is where the comma does not separate fields. */
export function cellType(value: string, decimalComma: boolean): CellType {
  // Longer than any number or date, and no time spent on it.
  if (value.length > 40) return 'text';
  const first = value.charCodeAt(0);
  const numeric = (first >= 48 && first <= 57) || first === 45 || first === 43 || first === 46;
  if (numeric) {
    // `007` and `0123` are names made of digits: arithmetic would spoil them.
    if (/^[+-]?(?:0|[1-9]\d*)$/.test(value)) return 'integer';
    if (/^[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?$/.test(value)) return 'number';
    if (decimalComma && /^[+-]?(?:\d{1,3}(?:\.\d{3})+|\d+),\d+$/.test(value)) return 'number';
    return isoDate.test(value) || otherDate.test(value) ? 'date' : 'text';
  }
  return /^(?:true|false|yes|no)$/i.test(value) ? 'boolean' : 'text';
}

export class Column {
  readonly name: string;
  readonly #decimalComma: boolean;
  readonly #types = new Map<CellType, { count: number; firstLine: number; sample: string }>();
  #empty = 0;
  #values = 0;
  #least = Number.POSITIVE_INFINITY;
  #most = Number.NEGATIVE_INFINITY;
  #first: string | undefined;
  #last: string | undefined;

  constructor(name: string, decimalComma: boolean) {
    this.name = name;
    this.#decimalComma = decimalComma;
  }

  add(raw: string, line: number): void {
    const value = raw.trim();
    if (value === '') {
      this.#empty += 1;
      return;
    }
    this.#values += 1;
    const type = cellType(value, this.#decimalComma);
    const seen = this.#types.get(type);
    if (seen === undefined) this.#types.set(type, { count: 1, firstLine: line, sample: clip(value, 40) });
    else seen.count += 1;
    if (type === 'integer' || type === 'number') {
      const n =
        this.#decimalComma && value.includes(',')
          ? Number(value.replaceAll('.', '').replace(',', '.'))
          : Number(value);
      if (n < this.#least) this.#least = n;
      if (n > this.#most) this.#most = n;
    } else if (type === 'date' && value.charCodeAt(4) === 45) {
      // ISO dates sort as text.
      if (this.#first === undefined || value < this.#first) this.#first = value;
      if (this.#last === undefined || value > this.#last) this.#last = value;
    }
  }

  /** Name, type, empty, from, to: cells of a Markdown table. */
  row(position: number): string[] {
    const { type, note } = this.#type();
    const numeric = type === 'integer' || type === 'number';
    const range = numeric
      ? [number6(this.#least), number6(this.#most)]
      : type === 'date' && this.#first !== undefined
        ? [code(this.#first), code(this.#last ?? '')]
        : ['', ''];
    return [
      `${position}`,
      code(this.name, 60),
      note === '' ? type : `${type}: ${note}`,
      number(this.#empty),
      ...range,
    ];
  }

  #type(): { type: CellType | 'empty' | 'mixed'; note: string } {
    const types = [...this.#types].map(([type, seen]) => ({ type, ...seen }));
    const [first, second, third] = types.sort((a, b) => b.count - a.count);
    if (first === undefined) return { type: 'empty', note: '' };
    if (second === undefined) return { type: first.type, note: '' };
    const numbers = [first.type, second.type].every((type) => type === 'integer' || type === 'number');
    if (numbers && third === undefined) return { type: 'number', note: '' };
    // Nearly all of one type: the others are probably the mistakes, so name the first of each.
    const main = numbers ? 'number' : first.type;
    const odd = types.filter(({ type }) => type !== first.type && !(numbers && type === second.type));
    const oddCount = odd.reduce((sum, { count: n }) => sum + n, 0);
    if (main !== 'text' && oddCount <= this.#values * 0.1)
      return {
        type: main,
        note: odd
          .map((o) => `${number(o.count)} ${o.type}, first ${code(o.sample)} in line ${number(o.firstLine)}`)
          .join('; '),
      };
    return { type: 'mixed', note: types.map((t) => `${number(t.count)} ${t.type}`).join(', ') };
  }
}

function number6(n: number): string {
  return Number.isInteger(n)
    ? n.toLocaleString('en-US')
    : n.toLocaleString('en-US', { maximumFractionDigits: 6 });
}

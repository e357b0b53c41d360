/**
 * CSV records with the place and the reason of the bad ones. Libraries were tried: they end, or skip to the end of the
 * file, at the first quote that is not closed. Here such a quote spoils its own line only, and reading goes on with the
 * next one. (Rows of good files are compared with `csv-parse`'s in the tests.)
 */
import { bounds } from '../bounds.ts';

export interface CsvRecord {
  /** Line of its first character, from 1. */
  readonly line: number;
  /** At most `bounds.csvColumns`; `count` counts them all. */
  readonly fields: readonly string[];
  readonly count: number;
  /** A blank line: no record at all. */
  readonly blank: boolean;
  readonly fault?: 'quote is not closed' | 'text after a closing quote';
}

/** Records of `text`, in order. A record with a fault holds what was read before it. */
export function* csvRecords(text: string, delimiter: string): Generator<CsvRecord> {
  const separator = delimiter.charCodeAt(0);
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const fields: string[] = [];
    const first = line;
    const start = at;
    let total = 0;
    let fault: CsvRecord['fault'];
    for (;;) {
      const quoted = text.charCodeAt(at) === 0x22 ? quotedField(text, at, separator) : undefined;
      if (quoted !== undefined && 'fault' in quoted) {
        fault = quoted.fault;
        at = lineEnd(text, at);
        break;
      }
      const end = quoted === undefined ? fieldEnd(text, at, separator) : quoted.end;
      if (total < bounds.csvColumns) fields.push(quoted === undefined ? text.slice(at, end) : quoted.value);
      if (quoted !== undefined) line += quoted.lines;
      total += 1;
      at = end;
      if (text.charCodeAt(at) !== separator) break;
      at += 1;
    }
    const blank = at === start;
    if (text.charCodeAt(at) === 13) at += 1;
    if (text.charCodeAt(at) === 10) at += 1;
    line += 1;
    yield { line: first, fields, count: total, blank, ...(fault !== undefined && { fault }) };
  }
}

type Quoted = { value: string; end: number; lines: number } | { fault: NonNullable<CsvRecord['fault']> };

// The scan back over lines after an unclosed quote stays cheap: no quote stands between its start and its failure.
function quotedField(text: string, start: number, separator: number): Quoted {
  let lines = 0;
  const limit = Math.min(text.length, start + bounds.csvFieldChars);
  for (let at = start + 1; at < limit; at += 1) {
    const char = text.charCodeAt(at);
    if (char === 10) lines += 1;
    if (char !== 0x22) continue;
    if (text.charCodeAt(at + 1) === 0x22) {
      at += 1;
      continue;
    }
    const next = text.charCodeAt(at + 1);
    if (at + 1 < text.length && next !== separator && next !== 10 && next !== 13)
      // A field over several lines that ends like this was most likely never closed in its own line.
      return { fault: lines === 0 ? 'text after a closing quote' : 'quote is not closed' };
    const value = text.slice(start + 1, at);
    return { value: value.includes('"') ? value.replaceAll('""', '"') : value, end: at + 1, lines };
  }
  return { fault: 'quote is not closed' };
}

function fieldEnd(text: string, start: number, separator: number): number {
  let at = start;
  for (; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === separator || char === 10 || char === 13) break;
  }
  return at;
}

function lineEnd(text: string, start: number): number {
  let at = start;
  while (at < text.length && text.charCodeAt(at) !== 10 && text.charCodeAt(at) !== 13) at += 1;
  return at;
}

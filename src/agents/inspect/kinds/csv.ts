/** CSV and TSV: delimiter, header, columns with their types, rows that are bad and why, rows that occur twice. */
import { bounds } from '../bounds.ts';
import type { Kind } from '../kind.ts';
import { blocks, count, list, number, table } from '../markup.ts';
import type { TextSubject } from '../subject.ts';
import { Column, cellType } from './csv-column.ts';
import { type CsvRecord, csvRecords } from './csv-reader.ts';

const delimiters = { ',': 'comma', ';': 'semicolon', '\t': 'tab', '|': 'pipe' } as const;
type Delimiter = keyof typeof delimiters;

export const csv: Kind<TextSubject> = {
  claims: ({ type }) => type.mime === 'text/csv' || type.mime === 'text/tab-separated-values',
  describe: ({ type, text }) => {
    const label = type.mime === 'text/csv' ? 'CSV' : 'TSV';
    const { delimiter, width, header } = layout(text.value, label === 'TSV' ? '\t' : ',');
    const rows = readRows(text.value, delimiter, width, header);
    const cut = rows.cut || !text.complete;
    const bad = rows.bad.total === 0 ? 'no bad rows' : count(rows.bad.total, 'bad row');
    const facts = [
      `Delimiter: ${delimiters[delimiter]}. Header: ${header ? 'yes' : 'none found (the columns are numbered)'}.`,
      `Rows: ${number(rows.total)}${cut ? ', as far as they were read' : ''}; columns: ${number(width)}; blank lines: ${number(rows.blank)}.`,
      rows.twice.total === 0
        ? 'No row occurs twice.'
        : `Rows that repeat an earlier one: ${number(rows.twice.total)} (${rows.twice.first.join(', ')}${rows.twice.total > rows.twice.first.length ? ' …' : ''}).`,
    ];
    return {
      headline: `${label}, ${cut ? 'at least ' : ''}${count(rows.total, 'row')} × ${count(width, 'column')}, ${bad}`,
      body: blocks(
        `## ${label}`,
        list(facts),
        rows.bad.total === 0 ? '' : blocks(`### Bad rows (${number(rows.bad.total)})`, list(rows.bad.first)),
        rows.bad.total > rows.bad.first.length
          ? `… and ${number(rows.bad.total - rows.bad.first.length)} more.`
          : '',
        '### Columns',
        table(
          ['#', 'Name', 'Type', 'Empty', 'From', 'To'],
          rows.columns.slice(0, 50).map((column, at) => column.row(at + 1)),
        ),
        width > 50 ? `… and ${count(width - 50, 'more column')}.` : '',
      ),
    };
  },
};

/** The delimiter under which the first 100 records agree best on a width, that width, and whether a header leads. */
export function layout(
  text: string,
  preferred: Delimiter,
): { delimiter: Delimiter; width: number; header: boolean } {
  const start = text.slice(0, 256 * 1024);
  let best = { delimiter: preferred, width: 1, score: 0, records: [] as CsvRecord[] };
  for (const delimiter of Object.keys(delimiters) as Delimiter[]) {
    const records: CsvRecord[] = [];
    for (const record of csvRecords(start, delimiter)) {
      if (!record.blank) records.push(record);
      if (records.length === 100) break;
    }
    const { width, votes } = commonWidth(records);
    const share = records.length === 0 ? 0 : votes / records.length;
    // A tie goes to the delimiter that the extension names; a semicolon file with decimal commas is no tie.
    const tie = (delimiter === preferred ? 0.05 : 0) + (records[0]?.count === width ? 0.1 : 0);
    const score = width === 1 ? 0.01 : share + Math.min(width, 20) / 100 + tie;
    if (score > best.score) best = { delimiter, width, score, records };
  }
  const { delimiter, width, records } = best;
  return { delimiter, width, header: isHeader(records[0], delimiter) };
}

interface Rows {
  total: number;
  blank: number;
  cut: boolean;
  readonly bad: { total: number; readonly first: string[] };
  readonly twice: { total: number; readonly first: string[] };
  columns: Column[];
}

function readRows(text: string, delimiter: Delimiter, width: number, header: boolean): Rows {
  const rows: Rows = {
    total: 0,
    blank: 0,
    cut: false,
    bad: { total: 0, first: [] },
    twice: { total: 0, first: [] },
    columns: [],
  };
  const lineOf = new Map<number, number>();
  const isBad = (line: number, reason: string) => {
    rows.bad.total += 1;
    if (rows.bad.first.length < 50) rows.bad.first.push(`line ${number(line)}: ${reason}`);
  };
  let headerNames: readonly string[] | undefined = header ? undefined : [];
  for (const record of csvRecords(text, delimiter)) {
    if (record.blank) {
      rows.blank += 1;
      continue;
    }
    const reason = faultOf(record, width);
    if (headerNames === undefined) {
      headerNames = record.fields;
      if (reason !== undefined) isBad(record.line, `${reason} (the header)`);
      continue;
    }
    if (rows.total >= bounds.csvRows) {
      rows.cut = true;
      break;
    }
    if (rows.columns.length === 0) rows.columns = makeColumns(headerNames, width, delimiter !== ',');
    rows.total += 1;
    if (reason !== undefined) {
      isBad(record.line, reason);
      continue;
    }
    for (const [at, column] of rows.columns.entries()) column.add(record.fields[at] ?? '', record.line);
    const key = hash(record.fields);
    const earlier = lineOf.get(key);
    if (earlier === undefined) lineOf.set(key, record.line);
    else {
      rows.twice.total += 1;
      if (rows.twice.first.length < 10)
        rows.twice.first.push(`line ${number(record.line)} = line ${number(earlier)}`);
    }
  }
  if (rows.columns.length === 0) rows.columns = makeColumns(headerNames ?? [], width, false);
  return rows;
}

function faultOf({ fault, count: found, fields }: CsvRecord, width: number): string | undefined {
  if (fault !== undefined) return fault;
  if (found !== width) return `${count(found, 'field')} instead of ${number(width)}`;
  if (fields.some((field) => field.includes('\ufffd')))
    return 'bytes that are not valid in the encoding of the file';
  return undefined;
}

function makeColumns(names: readonly string[], width: number, decimalComma: boolean): Column[] {
  const shown = Math.min(width, bounds.csvColumns);
  return Array.from(
    { length: shown },
    (_, at) => new Column(names[at]?.trim() || `column ${at + 1}`, decimalComma),
  );
}

function commonWidth(records: readonly CsvRecord[]): { width: number; votes: number } {
  const votes = new Map<number, number>();
  for (const { count: n, fault } of records) if (fault === undefined) votes.set(n, (votes.get(n) ?? 0) + 1);
  const [best] = [...votes].sort((a, b) => b[1] - a[1]);
  return best === undefined ? { width: 1, votes: 0 } : { width: best[0], votes: best[1] };
}

// Names are texts, none empty, none twice. (A file of texts alone looks like that from its first row: it has a header.)
function isHeader(first: CsvRecord | undefined, delimiter: Delimiter): boolean {
  if (first === undefined || first.fault !== undefined) return false;
  const names = first.fields.map((field) => field.trim());
  return (
    names.every((name) => name !== '' && cellType(name, delimiter !== ',') === 'text') &&
    new Set(names).size === names.length
  );
}

// 53 bits from two 32-bit FNV-1a hashes: two different rows of half a million meet with a chance of one in 70,000,
// and the memory for a row is one number.
function hash(fields: readonly string[]): number {
  let low = 0x811c9dc5;
  let high = 0xc9dc5118;
  for (const field of fields) {
    for (let at = 0; at < field.length; at += 1) {
      const char = field.charCodeAt(at);
      low = Math.imul(low ^ char, 0x01000193);
      high = Math.imul(high ^ char, 0x01000197);
    }
    low = Math.imul(low ^ 0x1f, 0x01000193);
    high = Math.imul(high ^ 0x1f, 0x01000197);
  }
  return (low >>> 0) * 0x200000 + ((high >>> 0) & 0x1fffff);
}

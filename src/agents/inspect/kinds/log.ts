/** Logs: how many lines of which level, the time they span, and the errors, equal ones counted together. */
import { bounds } from '../bounds.ts';
import type { Kind } from '../kind.ts';
import { eachLine } from '../lines.ts';
import { blocks, code, count, list, number, table } from '../markup.ts';
import type { TextSubject } from '../subject.ts';
import { type Level, readLogLine, templateOf, timeIn } from './log-line.ts';

interface Group {
  readonly template: string;
  readonly level: Level | undefined;
  count: number;
  readonly first: number;
  last: number;
  readonly sample: string;
}

const levels: readonly Level[] = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'];

export const log: Kind<TextSubject> = {
  claims: ({ name, extension, type, text }) => {
    if (type.mime !== 'text/plain') return false;
    if (/\.(log|out|err)(\.\d{1,4})?$/.test(name) || name === 'syslog' || name === 'messages') return true;
    return (extension === '' || extension === '.txt') && mostlyTimed(text.value.slice(0, 20_000));
  },
  describe: ({ text: { value, complete } }) => {
    const found = read(value);
    const serious = [...found.groups.values()].filter(({ level }) => level === 'fatal' || level === 'error');
    const warnings = [...found.groups.values()].filter(({ level }) => level === 'warn');
    const other = [...found.groups.values()].filter(({ level }) => level === undefined);
    const errors = (found.byLevel.get('fatal') ?? 0) + (found.byLevel.get('error') ?? 0);
    const cut = !complete || found.cut;
    return {
      headline: `Log, ${cut ? 'at least ' : ''}${count(found.lines, 'line')}, ${
        errors === 0 ? 'no errors' : `${count(errors, 'error')} of ${count(serious.length, 'kind')}`
      }`,
      body: blocks(
        '## Log',
        list(
          [
            found.firstTime === undefined
              ? 'Times: none found.'
              : `Times: from ${code(found.firstTime)} to ${code(found.lastTime ?? '')}${duration(found.firstTime, found.lastTime)}.`,
            cut ? `Read: the first ${count(found.lines, 'line')}.` : '',
            found.left > 0
              ? `${count(found.left, 'line')} not grouped: more than ${number(bounds.logTemplates)} templates.`
              : '',
          ].filter((item) => item !== ''),
        ),
        found.byLevel.size === 0
          ? 'No line names a level.'
          : table(
              ['Level', 'Lines'],
              [
                ...levels
                  .filter((level) => found.byLevel.has(level))
                  .map((level) => [level, number(found.byLevel.get(level) ?? 0)]),
                ...(found.unlevelled > 0 ? [['(none)', number(found.unlevelled)]] : []),
              ],
            ),
        section('Errors', serious),
        section('Warnings', warnings),
        found.byLevel.size === 0 ? section('Most frequent lines', other) : '',
      ),
    };
  },
};

function section(title: string, groups: readonly Group[]): string {
  if (groups.length === 0) return '';
  const top = groups.toSorted((a, b) => b.count - a.count || a.first - b.first).slice(0, 20);
  const rows = top.map(({ count: n, template, first, last, sample }) => [
    number(n),
    code(template, 160),
    number(first),
    number(last),
    n === 1 && sample === template ? '' : code(sample, 120),
  ]);
  return blocks(
    `### ${title}, grouped`,
    table(['Count', 'Template', 'First line', 'Last line', 'For example'], rows),
    groups.length > top.length ? `… and ${count(groups.length - top.length, 'more template')}.` : '',
  );
}

function read(text: string) {
  const groups = new Map<string, Group>();
  const byLevel = new Map<Level, number>();
  const out = {
    groups,
    byLevel,
    lines: 0,
    left: 0,
    unlevelled: 0,
    cut: false,
    firstTime: undefined as string | undefined,
    lastTime: undefined as string | undefined,
  };
  eachLine(text, (line, n) => {
    if (n > bounds.lines) {
      out.cut = true;
      return false;
    }
    out.lines = n;
    if (line === '') return true;
    const entry = readLogLine(line);
    if (entry.time !== undefined) {
      out.firstTime ??= entry.time;
      out.lastTime = entry.time;
    }
    if (entry.level === undefined) out.unlevelled += 1;
    else byLevel.set(entry.level, (byLevel.get(entry.level) ?? 0) + 1);
    // Levels without a problem are only counted; lines without one only matter when no line has any.
    if (entry.level === 'info' || entry.level === 'debug' || entry.level === 'trace') return true;
    if (entry.level === undefined && byLevel.size > 0) return true;
    const template = templateOf(entry);
    const key = `${entry.level} ${template}`;
    const group = groups.get(key);
    if (group !== undefined) {
      group.count += 1;
      group.last = n;
    } else if (groups.size < bounds.logTemplates)
      groups.set(key, {
        template,
        level: entry.level,
        count: 1,
        first: n,
        last: n,
        sample: entry.message.slice(0, 200),
      });
    else out.left += 1;
    return true;
  });
  return out;
}

function mostlyTimed(start: string): boolean {
  let lines = 0;
  let timed = 0;
  eachLine(start, (line) => {
    if (line === '') return true;
    lines += 1;
    if (timeIn(line.slice(0, 60)) !== undefined) timed += 1;
    return lines < 50;
  });
  return lines >= 3 && timed > lines / 2;
}

// Only where both are dates a machine reads without guessing a year or a zone.
function duration(first: string, last: string | undefined): string {
  const iso = /^\d{4}-\d\d-\d\d[T ]/;
  if (last === undefined || !iso.test(first) || !iso.test(last)) return '';
  const ms = epochMs(last) - epochMs(first);
  if (!Number.isFinite(ms) || ms < 0) return '';
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return ` (${count(Math.round(ms / 1000), 'second')})`;
  if (minutes < 120) return ` (${count(minutes, 'minute')})`;
  return minutes < 2880
    ? ` (${count(Math.floor(minutes / 60), 'hour')})`
    : ` (${count(Math.floor(minutes / 1440), 'day')})`;
}

// Without a zone both are taken as UTC: the machine's own zone must not change the report.
function epochMs(time: string): number {
  const iso = time.replace(',', '.').replace(' ', 'T');
  return Date.parse(/Z$|[+-]\d\d:?\d\d$/.test(iso) ? iso : `${iso}Z`);
}

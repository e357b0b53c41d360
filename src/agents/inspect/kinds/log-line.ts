/**
 * One line of a log: its level, its time, its message, and the message's template: what changes from one occurrence to
 * the next (numbers, ids, paths, addresses, times) replaced by a word. Every expression here is linear, and only the
 * first 500 characters of a line are looked at.
 */
export type Level = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace';

export interface LogLine {
  readonly level: Level | undefined;
  /** As it stands in the file. */
  readonly time: string | undefined;
  readonly message: string;
  /** Where the format says better than the text what varies. */
  readonly template?: string;
}

const levelNames: Readonly<Record<string, Level>> = {
  emerg: 'fatal',
  alert: 'fatal',
  fatal: 'fatal',
  panic: 'fatal',
  crit: 'fatal',
  critical: 'fatal',
  error: 'error',
  err: 'error',
  severe: 'error',
  exception: 'error',
  warn: 'warn',
  warning: 'warn',
  notice: 'info',
  info: 'info',
  information: 'info',
  debug: 'debug',
  fine: 'debug',
  trace: 'trace',
  verbose: 'trace',
};
// A map: a line may name the level `constructor`, which every object has.
const levelOf: ReadonlyMap<string, Level> = new Map(Object.entries(levelNames));
const pinoLevels: Readonly<Record<number, Level>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

const times = [
  /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?/,
  /\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d(?: [+-]\d{4})?/,
  /\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d/,
  /\b[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d/,
];
const upperLevel =
  /\b(EMERG|ALERT|FATAL|PANIC|CRIT|CRITICAL|ERROR|ERR|SEVERE|WARN|WARNING|NOTICE|INFO|DEBUG|FINE|TRACE|VERBOSE)\b/;
const markedLevel =
  /(?:\[|\blevel[=:] ?"?|\bseverity[=:] ?"?)(emerg|alert|fatal|panic|crit|critical|error|err|severe|warn|warning|notice|info|debug|trace)\b/i;
const wordedLevel = /(?:^|[\s\]])(fatal|panic|critical|error|warning|warn)(?=:)/i;
const request = /"([A-Z]{3,10}) ([^\s"?]{1,200})[^"]{0,300}" ([1-5]\d\d) (?:\d+|-)/;

export function readLogLine(line: string): LogLine {
  const text = line.slice(0, 500);
  if (text.startsWith('{')) {
    const entry = jsonEntry(line);
    if (entry !== undefined) return entry;
  }
  const head = text.slice(0, 160);
  const time = timeIn(head);
  const named = upperLevel.exec(head)?.[1] ?? markedLevel.exec(head)?.[1] ?? wordedLevel.exec(head)?.[1];
  if (named !== undefined) return { level: levelOf.get(named.toLowerCase()), time, message: text };
  const [, method, path, status] = request.exec(text) ?? [];
  if (status === undefined || path === undefined) return { level: undefined, time, message: text };
  const level = status >= '500' ? 'error' : status >= '400' ? 'warn' : 'info';
  return { level, time, message: text, template: `${status} ${method} ${path.replace(numbers, '<n>')}` };
}

export function timeIn(text: string): string | undefined {
  for (const form of times) {
    const found = form.exec(text);
    if (found !== null) return found[0];
  }
  return undefined;
}

const numbers = /\b[A-Za-z]{0,4}[-_]?\d[\d.,:_-]*(?:ns|us|µs|ms|s|m|h|kb|mb|gb|kib|mib|gib|%)?\b/gi;

// Most specific first: what one step replaced, the next ones leave alone.
const variable: readonly [RegExp, string][] = [
  [/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi, '<uuid>'],
  [/\bhttps?:\/\/[^\s"'<>]+/gi, '<url>'],
  [/(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,8}\b/g, '<email>'],
  [/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b/g, '<ip>'],
  [/\b0x[0-9a-f]+\b/gi, '<hex>'],
  [/(?<![\w/])(?:[A-Za-z]:)?(?:[\\/][\w.@%+~-]+){2,}/g, '<path>'],
  [/\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}\b/gi, '<hex>'],
  [/"[^"]{0,200}"/g, '"…"'],
  [numbers, '<n>'],
];

/** Equal for two lines that differ only in what varies. */
export function templateOf({ message, time, template: given }: LogLine): string {
  if (given !== undefined) return given;
  let template = time === undefined ? message : message.replace(time, '').replace(/^\W*(?=\w)/, '');
  for (const [form, word] of variable) template = template.replace(form, word);
  return template.replace(/\s+/g, ' ').trim().slice(0, 200);
}

function jsonEntry(line: string): LogLine | undefined {
  if (line.length > 10_000) return undefined;
  try {
    const entry = JSON.parse(line) as Record<string, unknown>;
    const level = entry.level ?? entry.severity ?? entry.lvl;
    const message = entry.msg ?? entry.message ?? entry.event ?? entry.error;
    const time = entry.time ?? entry.timestamp ?? entry.ts ?? entry['@timestamp'];
    return {
      level:
        typeof level === 'number'
          ? pinoLevels[level]
          : typeof level === 'string'
            ? levelOf.get(level.toLowerCase())
            : undefined,
      time:
        typeof time === 'number' && time > 1e12 && time < 1e14
          ? new Date(time).toISOString()
          : typeof time === 'string'
            ? time.slice(0, 40)
            : undefined,
      message: typeof message === 'string' ? message.slice(0, 500) : line.slice(0, 500),
    };
  } catch {
    return undefined; // a line that only begins like JSON
  }
}

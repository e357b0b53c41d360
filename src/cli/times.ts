/** Times as people write and read them on the command line. */
import { parseDuration } from '../config/duration.ts';

/** `30m`, `1d` before now, or a date with or without a time (local, unless it says otherwise). Epoch milliseconds. */
export function parseSince(text: string, now: number): number | undefined {
  const lengthMs = parseDuration(text);
  if (lengthMs !== undefined) return now - lengthMs;
  if (!/^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?(\.\d+)?(Z|[+-]\d{2}:\d{2})?)?$/.test(text))
    return undefined;
  // A date alone would be taken as UTC, but people mean their own midnight.
  const time = Date.parse(text.length === 10 ? `${text}T00:00` : text.replace(' ', 'T'));
  return Number.isNaN(time) ? undefined : time;
}

/** Local: `14:03:22` today, `2026-11-20 14:03` before. */
export function shortTime(time: string | number, now = Date.now()): string {
  const date = new Date(time);
  const two = (n: number) => String(n).padStart(2, '0');
  const day = (of: Date) => `${of.getFullYear()}-${two(of.getMonth() + 1)}-${two(of.getDate())}`;
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return day(date) === day(new Date(now)) ? `${clock}:${two(date.getSeconds())}` : `${day(date)} ${clock}`;
}

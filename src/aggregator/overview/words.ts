/** Numbers, lengths of time and states as people read them. Pure; in English and UTC wherever it runs. */
import type { JobStateName } from '../../types/job.ts';

const wholeNumber = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const dollars = new Intl.NumberFormat('en', { style: 'currency', currency: 'USD' });

export function countText(n: number): string {
  return wholeNumber.format(n);
}

/** `1 file`, `2,000 files`. */
export function countOf(n: number, one: string, many = `${one}s`): string {
  return `${countText(n)} ${n === 1 ? one : many}`;
}

/** Two digits that matter: `0 ms`, `84 ms`, `1.4 s`, `3 min 5 s`, `2 h 10 min`. */
export function durationText(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1).replace(/\.0$/, '')} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Small sums keep the digits that tell them from nothing. */
export function costText(usd: number): string {
  return usd > 0 && usd < 0.995 ? `$${usd.toPrecision(2)}` : dollars.format(usd);
}

/** `20 Nov, 10:31` of an RFC 3339 time; with the year when it is not that of `now`. */
export function timeText(time: string, now: string): string {
  const [day, clock] = [time.slice(0, 10), time.slice(11, 16)];
  return `${dayText(day)}${day.slice(0, 4) === now.slice(0, 4) ? '' : ` ${day.slice(0, 4)}`}, ${clock}`;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `20 Nov` of `2026-11-20`. */
export function dayText(day: string): string {
  return `${Number(day.slice(8, 10))} ${months[Number(day.slice(5, 7)) - 1] ?? ''}`;
}

/** A sign that tells the states apart without colour. */
export const stateSigns: Readonly<Record<JobStateName, string>> = {
  succeeded: '✓',
  cached: '↺',
  failed: '✕',
  held: '‖',
  cancelled: '–',
  superseded: '–',
  queued: '·',
  running: '·',
  waiting: '·',
};

/** Lengths of time as messages word them: `2h 13m`, `1.898s`, `2 days and 3 hours`, `an hour`, `00:34:12`. */
const unitMs: readonly (readonly [RegExp, number])[] = [
  [/^m(?:illi)?s/i, 1],
  [/^s/i, 1_000],
  [/^m/i, 60_000],
  [/^h/i, 3_600_000],
  [/^d/i, 86_400_000],
  [/^w/i, 7 * 86_400_000],
];

/** Months are left out: no limit is told in them, and "5 m" is minutes. */
const unit =
  '(?:milliseconds?|msecs?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|wks?|w)(?![a-z])';
const count = String.raw`(?:\d{1,9}(?:\.\d{1,12})?)`;

/** Source of a pattern for one length of time, without groups that catch; for use with `i`. */
export const durationSource = String.raw`(?:(?<=\b(?:in|after) )\d{1,3}:[0-5]\d:[0-5]\d|(?:${count}\s*-?|\b(?:an?|one)\s+)${unit}(?:\s*(?:,\s*and|,|and)?\s*${count}\s*${unit})*)`;

const parts = new RegExp(String.raw`(?:(${count})\s*-?|\b(?:an?|one)\s+)(${unit})`, 'gi');

/** @param text What `durationSource` matched. @returns milliseconds. */
export function durationMs(text: string): number {
  const clock = /^(\d{1,3}):(\d\d):(\d\d)$/.exec(text);
  if (clock !== null) return (Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3])) * 1000;
  let sum = 0;
  for (const [, many = '1', name = ''] of text.matchAll(parts)) {
    const ms = unitMs.find(([pattern]) => pattern.test(name))?.[1] ?? 0;
    sum += Number(many) * ms;
  }
  return sum;
}

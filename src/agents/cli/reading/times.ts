/**
 * When a message says that it may be tried again: "resets at 3pm (Europe/Berlin)", "try again in 2h 13m", "|1763683200".
 * Each service words it in its own way and changes it without notice, so all ways that are known are tried on every
 * message; a number that stands for itself is left alone ("50,000 tokens per minute" is no time to wait).
 */
import { durationMs, durationSource } from './durations.ts';
import { momentAt } from './moments.ts';

export interface ComeBack {
  /** Epoch milliseconds. */
  readonly until?: number;
  /** Or after how long. */
  readonly retryAfterMs?: number;
}

/** Longer than any limit lasts: the number meant something else. */
const maxWaitMs = 366 * 86_400_000;
/** Further back it is not the time of coming back, or a clock is wrong. */
const maxPastMs = 86_400_000;
/** Messages may be whole bodies of answers; the time stands near their beginning. */
const maxLooked = 16_384;

/** After these a time is that of coming back. */
const cues =
  /re-?sets?|retry(?:ing)?(?![-_ ]?(?:count|attempt|delay_ms))|again|\bwait(?:ing)?\b|\buntil\b|\bavailable\b|come back|resum|renew|refresh|replenish|lifted|unlock|restored|unblock|\bback (?:at|in|on)\b/gi;
/** What may stand between a cue and its time: a few words, no number. */
const gap = String.raw`^[^\d\n]{0,48}?`;

const afterDuration = new RegExp(
  String.raw`${gap}(?<![\w.])(?:(?:in|after|for|about|approximately|another|at least|up to|:|=|~|"|wait)\s*"?)?(${durationSource})(?![\w/])`,
  'i',
);

/**
 * What a message of an error says of the time; empty when it names none.
 * @param now Epoch milliseconds: times of day mean the next one after it, in the zone that they name or else in the machine's.
 */
export function comeBack(message: string, now: number): ComeBack {
  const text = message.slice(0, maxLooked);
  return field(text, now) ?? cued(text, now) ?? {};
}

/** @param epoch In seconds or milliseconds: which, its size says. @returns undefined when it is no time to come back. */
export function comeBackAt(epoch: number, now: number): ComeBack | undefined {
  return at(epoch < 1e11 ? epoch * 1000 : epoch, now);
}

/** What programs say to programs: `"resets_at":1763683200`, `Retry-After: 34`, `…|1763683200`. */
function field(text: string, now: number): ComeBack | undefined {
  const epoch =
    /(?:reset[a-z]{0,9}[-_ ]?(?:at|time|date|on)?|retry[-_ ]?at|until|reached)["']?\s{0,9}[|:=]?\s{0,9}["']?\b(\d{10}|\d{13})(?:\.\d+)?\b/i.exec(
      text,
    ) ?? /\|(\d{10}|\d{13})\b/.exec(text);
  const found = epoch === null ? undefined : comeBackAt(Number(epoch[1]), now);
  if (found !== undefined) return found;
  const ms =
    /(?:retry|reset)[a-z]{0,9}[-_ ]?(?:after|in|delay)?[-_ ]?(?:ms|millis\w*)["']?\s{0,9}[:=]\s{0,9}["']?(\d+(?:\.\d+)?)/i.exec(
      text,
    );
  if (ms !== null) return wait(Number(ms[1]));
  const seconds =
    /(?:retry|resets?)[-_ ]?(?:after|in)(?:[-_ ]?(?:seconds|secs|s))?["']?\s*[:=]?\s*["']?(\d{1,8}(?:\.\d+)?)(?=["',;)}\]\s.]|$)(?!["']?[ ]?(?:m|h|d|w|month)[a-z]*\b)/i.exec(
      text,
    );
  return seconds === null ? undefined : wait(Number(seconds[1]) * 1000);
}

/** What people are told: the first time or duration after a word like "resets" or "try again". */
function cued(text: string, now: number): ComeBack | undefined {
  for (const cue of text.matchAll(cues)) {
    const rest = text.slice(cue.index + cue[0].length, cue.index + cue[0].length + 120);
    const duration = afterDuration.exec(rest);
    const moment = momentAt(rest, now);
    // "resets Nov 21 at 3pm" holds no duration; "in 2 days at 3pm" is left to the duration.
    const durationAt =
      duration === null ? Number.POSITIVE_INFINITY : duration[0].length - (duration[1] as string).length;
    if (moment !== undefined && moment.index < durationAt) {
      const found = at(moment.instant, now);
      if (found !== undefined) return found;
    }
    const found = duration === null ? undefined : wait(durationMs(duration[1] as string));
    if (found !== undefined) return found;
  }
  return undefined;
}

function at(instant: number, now: number): ComeBack | undefined {
  return instant - now <= maxWaitMs && instant - now >= -maxPastMs
    ? { until: Math.round(instant) }
    : undefined;
}

function wait(ms: number | undefined): ComeBack | undefined {
  return ms !== undefined && ms >= 0 && ms <= maxWaitMs ? { retryAfterMs: Math.ceil(ms) } : undefined;
}

/**
 * When a message says that it may be tried again: "resets at 3pm (Europe/Berlin)", "try again in 2h 13m", "|1763683200".
 * Each service words it in its own way and changes it without notice, so all ways that are known are tried on every message.
 */
export interface ComeBack {
  /** Epoch milliseconds. */
  readonly until?: number;
  /** Or after how long. */
  readonly retryAfterMs?: number;
}

/**
 * What a message of an error says of the time; empty when it names none.
 * @param now Epoch milliseconds: times of day mean the next one after it, in the zone that they name or else in the machine's.
 */
export function comeBack(_message: string, _now: number): ComeBack {
  return {};
}

/**
 * Due times the slow way, to compare with: every minute of a stretch of time is looked at on the wall clock of its zone,
 * without croner and without a word of how offsets are found.
 */
export interface CronFields {
  readonly minute: ReadonlySet<number>;
  readonly hour: ReadonlySet<number>;
  /** Absent: every day. With both the one or the other is enough, as everywhere in cron. */
  readonly day?: ReadonlySet<number>;
  readonly weekday?: ReadonlySet<number>;
}

const MINUTE_MS = 60_000;
const walls = new Map<string, readonly number[]>();

/** Wall times, minute by minute. */
function wallsOf(zone: string, from: number, until: number): readonly number[] {
  const key = `${zone} ${from} ${until}`;
  const known = walls.get(key);
  if (known) return known;
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: zone,
    dateStyle: 'short',
    timeStyle: 'medium',
  });
  const list: number[] = [];
  for (let at = from; at <= until; at += MINUTE_MS)
    list.push(Date.parse(`${format.format(at).replace(' ', 'T')}Z`));
  walls.set(key, list);
  return list;
}

function matches({ minute, hour, day, weekday }: CronFields, wall: number): boolean {
  const date = new Date(wall);
  if (!minute.has(date.getUTCMinutes()) || !hour.has(date.getUTCHours())) return false;
  const isDay = day?.has(date.getUTCDate());
  const isWeekday = weekday?.has(date.getUTCDay());
  if (isDay === undefined) return isWeekday ?? true;
  return isDay || (isWeekday ?? false);
}

/** In (from, until], both whole minutes. The day before is looked at too: what was shown then is over. */
export function dueTimes(fields: CronFields, zone: string, from: number, until: number): readonly number[] {
  const begin = from - 36 * 60 * MINUTE_MS;
  const shown = wallsOf(zone, begin, until);
  const everyHour = fields.hour.size === 24;
  const seen = new Set<number>();
  const due = new Set<number>();
  for (const [index, wall] of shown.entries()) {
    const at = begin + index * MINUTE_MS;
    const before = shown[index - 1] ?? wall - MINUTE_MS;
    const gapMs = wall - before - MINUTE_MS;
    for (let missing = before + MINUTE_MS; missing < wall; missing += MINUTE_MS)
      if (matches(fields, missing) && !(everyHour && matches(fields, missing + gapMs))) due.add(at);
    if (matches(fields, wall) && (everyHour || !seen.has(wall))) due.add(at);
    seen.add(wall);
  }
  return [...due].filter((at) => at > from).toSorted((a, b) => a - b);
}

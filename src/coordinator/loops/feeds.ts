/**
 * Which rule seems to feed which: files of B that appear while A works, and hardly ever otherwise. A loop through
 * several rules is a cycle of such feeds; a pipeline, however busy, is none. Counted once per attempt of A, so that a
 * drop of many files counts as one.
 */

interface Feed {
  within: number;
  outside: number;
  /** The attempt of A that was counted last, on either side. */
  withinOf: number;
  outsideAfter: number;
}

/** Older observations fade. */
const countedMost = 40;

export class Feeds {
  readonly #feeds = new Map<string, Map<string, Feed>>();

  /**
   * A file of rule `to` appeared.
   * @param working Rules that had an attempt at that time, with the attempt's number.
   * @param latest Number of a rule's latest attempt.
   * @returns rules of a cycle that this file completes, `to` among them.
   */
  arrived(
    to: string,
    working: ReadonlyMap<string, number>,
    latest: (rule: string) => number,
  ): readonly string[] | undefined {
    const feeds = this.#feeds.get(to) ?? new Map<string, Feed>();
    this.#feeds.set(to, feeds);
    for (const [from, feed] of feeds) {
      const attempt = latest(from);
      if (working.has(from) || feed.outsideAfter === attempt) continue;
      feed.outside++;
      feed.outsideAfter = attempt;
    }
    let isNew = false;
    for (const [from, attempt] of working) {
      if (from === to) continue;
      const feed = feeds.get(from) ?? { within: 0, outside: 0, withinOf: -1, outsideAfter: -1 };
      feeds.set(from, feed);
      if (feed.withinOf === attempt) continue;
      feed.within++;
      feed.withinOf = attempt;
      isNew = true;
      if (feed.within + feed.outside > countedMost) {
        feed.within /= 2;
        feed.outside /= 2;
      }
    }
    return isNew ? this.#cycleThrough(to) : undefined;
  }

  /** Whether that is still so: what was seen since may say otherwise. */
  isCycle(rules: ReadonlySet<string>): boolean {
    const [first = ''] = rules;
    const cycle = this.#cycleThrough(first) ?? [first];
    return [...rules].every((rule) => cycle.includes(rule));
  }

  forget(rule: string): void {
    this.#feeds.delete(rule);
    for (const feeds of this.#feeds.values()) feeds.delete(rule);
  }

  /** The rules that `rule` both reaches and is reached from. */
  #cycleThrough(rule: string): readonly string[] | undefined {
    const upstream = this.#reach(rule, (of) => this.#sources(of));
    const downstream = this.#reach(rule, (of) => this.#targets(of));
    const cycle = [...upstream].filter((other) => downstream.has(other));
    return cycle.length > 0 ? [rule, ...cycle].toSorted() : undefined;
  }

  #reach(from: string, next: (rule: string) => readonly string[]): Set<string> {
    const found = new Set<string>();
    const open = [from];
    for (let rule = open.pop(); rule !== undefined; rule = open.pop())
      for (const other of next(rule))
        if (other !== from && !found.has(other)) {
          found.add(other);
          open.push(other);
        }
    return found;
  }

  #sources(rule: string): readonly string[] {
    return [...(this.#feeds.get(rule) ?? [])].filter(([, feed]) => holds(feed)).map(([from]) => from);
  }

  #targets(rule: string): readonly string[] {
    return [...this.#feeds].filter(([, feeds]) => holds(feeds.get(rule))).map(([to]) => to);
  }
}

function holds(feed: Feed | undefined): boolean {
  return feed !== undefined && feed.within >= 2 * feed.outside;
}

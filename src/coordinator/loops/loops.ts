/**
 * Recognises rules that feed themselves or each other, and only those: see `detector.ts` for the reasoning. Pure: no
 * clock, no ledger; times are epoch milliseconds.
 *
 * How the coordinator uses it:
 * - taking a file in: `arrived` with the id of the job to be; its verdict goes into the JobSpec (`depth`, `parent`,
 *   `hold`). Not for a version that is not new, not for one with the content that the path's last job had, and not for
 *   what was put in place over the input of the very job that made it;
 * - before claiming for a rule: `mayStart`; `notBefore: Infinity` says "when an attempt has ended". Rules in
 *   `watched()` want a lane of their own, so that what must wait does not hide other jobs of the agent;
 * - after the claim: `admit`: run it, hold it (`jobs.hold`), or give it back until `notBefore`;
 * - around each attempt of a rule whose agent could write into a root: `attemptStarted`, `attemptEnded` (also when the
 *   attempt was cancelled). `confined` ones are not counted;
 * - `seenFrom` before its end is shown to anybody;
 * - `released` when a person lets a held job go on; `jobGone` when a job ends without an attempt; `forget` when a rule or its agent changed; `look` now and then.
 */
import type { Hold, WrittenRecord } from '../../ledger/ledger.ts';
import type { JobId } from '../../types/job.ts';
import { graceMs, tickMs } from './cycles.ts';
import { Detector, type DetectorSnapshot, type Phase } from './detector.ts';
import { Feeds } from './feeds.ts';
import { heldForDepth, heldForLoop } from './words.ts';

export interface Arrival {
  /** Of the job that is about to be made for it. */
  readonly jobId: JobId;
  readonly rule: string;
  readonly root: string;
  readonly path: string;
  readonly stamp: string;
  readonly sha256: string;
  /** When the file got its content and its name, by its ctime: a birth time can be much older than the name. */
  readonly bornAt: number;
  readonly at: number;
  /** What the ledger says of this path; another version than `stamp` or `sha256` is no matter. */
  readonly written?: WrittenRecord;
}

export interface LoopVerdict {
  readonly depth: number;
  readonly parent?: JobId;
  readonly hold?: Hold;
}

export type Admission =
  | { readonly kind: 'run' }
  | { readonly kind: 'hold'; readonly hold: Hold }
  | { readonly kind: 'later'; readonly notBefore: number };

export interface WatchedRules {
  readonly rules: readonly string[];
  readonly phase: Exclude<Phase, 'free'>;
  readonly runs: number;
  /** It is no longer only a precaution: say so. */
  readonly isSerious: boolean;
}

export interface LoopsSnapshot {
  readonly detectors: readonly DetectorSnapshot[];
}

interface Seen {
  readonly number: number;
  readonly rule: string;
  readonly startedAt: number;
  endedAt: number | undefined;
}

const seenKept = 512;
const groupsKept = 32;
/** Evidence from which on people are told. */
const serious = 3;
/** What is made so long after an attempt is told apart from what the attempt made, however the clock of file times lags. */
export const unseenMs = graceMs + 2 * tickMs;

export class Loops {
  #maxDepth: number;
  readonly #detectors = new Map<string, Detector>();
  readonly #feeds = new Feeds();
  readonly #seen: Seen[] = [];
  readonly #open = new Map<JobId, Seen>();
  readonly #admitted = new Map<JobId, string>();
  readonly #batches = new Map<string, Set<JobId>>();
  readonly #batchOf = new Map<JobId, string>();
  readonly #latest = new Map<string, number>();
  #count = 0;

  constructor(options: { readonly maxDepth: number; readonly snapshot?: LoopsSnapshot }) {
    this.#maxDepth = options.maxDepth;
    for (const snapshot of options.snapshot?.detectors ?? [])
      this.#detectors.set(keyOf(snapshot.rules), new Detector(snapshot.rules, snapshot));
  }

  set maxDepth(depth: number) {
    this.#maxDepth = depth;
  }

  /** What must survive a restart; small unless a loop is under way. */
  snapshot(): LoopsSnapshot {
    return { detectors: [...this.#detectors.values()].filter((d) => d.isNotable).map((d) => d.snapshot()) };
  }

  arrived({ jobId, rule, root, path, stamp, sha256, bornAt, at, written }: Arrival): LoopVerdict {
    if (written && (written.stamp === stamp || (sha256 !== '' && written.sha256 === sha256))) {
      const { depth, jobId: parent } = written;
      if (depth > this.#maxDepth) return { depth, parent, hold: heldForDepth(depth, this.#maxDepth) };
      return { depth, parent };
    }
    this.#feed(rule, Math.min(bornAt, at));
    let verdict: LoopVerdict = { depth: 0 };
    for (const detector of this.#detectors.values()) {
      if (!detector.rules.has(rule)) continue;
      const birth = detector.arrived(jobId, `${root}\n${path}`, Math.min(bornAt, at), at);
      if (birth.kind === 'foreign' || !detector.holds(jobId, at)) continue;
      const { depth, jobId: parent } = birth.by;
      verdict = { depth: depth + 1, parent, hold: heldForLoop(detector.rules) };
    }
    return verdict;
  }

  mayStart(rule: string, now: number): true | { readonly notBefore: number } {
    let notBefore = now;
    for (const detector of this.#of(rule)) {
      const answer = detector.mayStart(now);
      if (answer !== true) notBefore = Math.max(notBefore, answer.notBefore);
    }
    return notBefore > now ? { notBefore } : true;
  }

  /**
   * Until its attempt starts or ends, an admitted job counts as running.
   * @param batch Of the jobs of one attempt, the first that is admitted speaks for all.
   */
  admit(jobId: JobId, rule: string, now: number, batch?: string): Admission {
    for (const detector of this.#of(rule))
      if (detector.holds(jobId, now)) return { kind: 'hold', hold: heldForLoop(detector.rules) };
    if (batch !== undefined && this.#batches.has(batch)) {
      this.#join(batch, jobId);
      return { kind: 'run' };
    }
    const answer = this.mayStart(rule, now);
    if (answer !== true) return { kind: 'later', notBefore: answer.notBefore };
    if (batch !== undefined) this.#join(batch, jobId);
    for (const detector of this.#of(rule)) detector.admitted(jobId);
    this.#admitted.set(jobId, rule);
    return { kind: 'run' };
  }

  attemptStarted(attempt: {
    readonly jobId: JobId;
    readonly rule: string;
    readonly depth: number;
    readonly at: number;
    /** It cannot write into any root. */
    readonly confined: boolean;
    /** One text for all jobs of one attempt. */
    readonly batch?: string;
  }): void {
    const { jobId, rule, depth, at, confined, batch } = attempt;
    if (confined) return;
    if (batch !== undefined) {
      this.#join(batch, jobId);
      const mates = this.#batches.get(batch) ?? new Set();
      if ([...mates].some((mate) => this.#open.has(mate))) return;
      // Whoever was admitted first may have fallen away since.
      for (const mate of mates) if (mate !== jobId) this.#settle(mate);
    }
    this.#admitted.delete(jobId);
    if (!this.#detectors.has(keyOf([rule]))) this.#detectors.set(keyOf([rule]), new Detector([rule]));
    for (const detector of this.#of(rule)) detector.started({ jobId, depth, startedAt: at });
    const seen: Seen = { number: this.#count++, rule, startedAt: at, endedAt: undefined };
    this.#open.set(jobId, seen);
    this.#latest.set(rule, seen.number);
    this.#seen.push(seen);
    if (this.#seen.length > seenKept) this.#seen.shift();
  }

  attemptEnded(jobId: JobId, at: number): void {
    this.#settle(jobId);
    this.#leave(jobId);
    const seen = this.#open.get(jobId);
    if (!seen) return;
    this.#open.delete(jobId);
    seen.endedAt = at;
    for (const detector of this.#of(seen.rule)) detector.ended(jobId, at);
  }

  /** The job ended without an attempt: superseded, cancelled, answered from the cache. */
  jobGone(jobId: JobId, rule: string): void {
    this.#admitted.delete(jobId);
    this.#leave(jobId);
    for (const detector of this.#of(rule)) detector.forgetJob(jobId);
  }

  /** A person lets a held job go on: it is not held again. */
  released(jobId: JobId): void {
    for (const detector of this.#detectors.values()) detector.forgetJob(jobId);
  }

  /** The rule or its agent is another one now: nothing of what was seen holds for it. */
  forget(rule: string): void {
    for (const [key, detector] of this.#detectors) if (detector.rules.has(rule)) this.#detectors.delete(key);
    this.#feeds.forget(rule);
  }

  look(now: number): void {
    for (const detector of this.#detectors.values()) detector.look(now);
  }

  /**
   * From when on others may see what came of an attempt, its receipt first of all. On probation that is a moment after
   * its end: whoever drops the next file when he sees the last one's receipt then does it in the pause, where a loop never does.
   */
  seenFrom(rule: string, endedAt: number): number {
    for (const { phase } of this.#of(rule))
      if (phase === 'probation' || phase === 'looping') return endedAt + unseenMs;
    return endedAt;
  }

  /** Rules that run one at a time now. */
  watched(): readonly WatchedRules[] {
    return [...this.#detectors.values()].flatMap((detector) => {
      const { phase, rules, runs } = detector;
      if (phase === 'free') return [];
      const isSerious = phase === 'looping' || detector.evidence >= serious;
      return [{ rules: [...rules], phase, runs, isSerious }];
    });
  }

  /** It is no longer about to start. */
  #settle(jobId: JobId): void {
    const rule = this.#admitted.get(jobId);
    if (rule === undefined) return;
    this.#admitted.delete(jobId);
    for (const detector of this.#of(rule)) detector.ended(jobId, -Infinity);
  }

  #join(batch: string, jobId: JobId): void {
    const mates = this.#batches.get(batch) ?? new Set<JobId>();
    this.#batches.set(batch, mates.add(jobId));
    this.#batchOf.set(jobId, batch);
  }

  #leave(jobId: JobId): void {
    const batch = this.#batchOf.get(jobId);
    if (batch === undefined) return;
    this.#batchOf.delete(jobId);
    const mates = this.#batches.get(batch);
    mates?.delete(jobId);
    if (mates?.size === 0) this.#batches.delete(batch);
  }

  *#of(rule: string): Iterable<Detector> {
    for (const detector of this.#detectors.values()) if (detector.rules.has(rule)) yield detector;
  }

  /** Rules that turn out to feed each other are looked at together. */
  #feed(rule: string, bornAt: number): void {
    const working = new Map<string, number>();
    for (const { rule: other, number, startedAt, endedAt } of this.#seen)
      if (startedAt - tickMs <= bornAt && (endedAt === undefined || bornAt <= endedAt + graceMs))
        working.set(other, number);
    const cycle = this.#feeds.arrived(rule, working, (other) => this.#latest.get(other) ?? -1);
    if (!cycle || this.#detectors.has(keyOf(cycle))) return;
    const group = new Detector(cycle, undefined, () => this.#feeds.isCycle(new Set(cycle)));
    group.inherit(cycle.flatMap((member) => this.#detectors.get(keyOf([member])) ?? []));
    this.#detectors.set(keyOf(cycle), group);
    this.#dropIdleGroups();
  }

  #dropIdleGroups(): void {
    const groups = [...this.#detectors].filter(([, { rules }]) => rules.size > 1);
    for (const [key, detector] of groups) {
      if (groups.length <= groupsKept) return;
      if (!detector.isNotable) {
        this.#detectors.delete(key);
        groups.length--;
      }
    }
  }
}

function keyOf(rules: readonly string[]): string {
  return rules.toSorted().join('\0');
}

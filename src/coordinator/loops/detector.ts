/**
 * Does a set of rules feed itself? Nobody tells who wrote a file, so this is an experiment: as long as work of the set
 * runs, a file that appears may be its own; in a pause it cannot be. A stream or a person goes on in the pauses, a loop
 * never does. Free rules cost nothing; after a few generations of files that appeared only while the set worked, it is
 * on *probation*: one attempt at a time, a pause after each, until `evidence.ts` says which of the two it is. And
 * nothing is held before 30 attempts were made: whoever answers each attempt by hand is served for long.
 *
 * Times are epoch milliseconds and are handed in. Rejected: counting alone (it holds streams), asking `/proc` who has a
 * file open (a short write is over before anybody looks).
 *
 * Longer than other files, because one state machine stands in it.
 */
import { Cycles, graceMs, tickMs } from './cycles.ts';
import { evidence, innocence, longestPause, type Observed } from './evidence.ts';

/** Attempts with new files, in a row, from which on it is looked at closely; and how many generations they must span. */
const suspiciousRuns = 6;
const suspiciousGeneration = 2;
/** One file that is written again and again cannot multiply, and may well be somebody's who saves often. */
const suspiciousRunsOfOneFile = 14;
/** Attempts at once while there is a first doubt: what multiplies must not be far when it is recognised. */
const doubtfulLoad = 8;
const minPauseMs = 300;
const maxPauseMs = 600_000;
const pauseShare = 0.6;
const longPauseEvery = 4;
const enoughEvidence = 9;
const enoughInnocence = 3;
const enoughRuns = 30;
/** By this run the pauses grow so far that the evidence suffices. */
const lastRun = 37;
/** After so many attempts without new files there is nothing to suspect. */
const fruitless = 8;
/** After a refuted suspicion so many attempts are free, twice as many each time, until there is nothing to do for a while. */
const leastCredit = 32;
const mostCredit = 1_024;
const idleMs = 3_000;
/** In a loop, work starts when nothing was dropped for this long, so that a drop of many files is told apart. */
const calmMs = 1_000;
/** Rules that were found to feed each other start with so many runs at most: the evidence needs some more. */
const mostInherited = 16;
const recentKept = 256;
const suspectsKept = 50_000;
/** Of jobs that were tried: they may be tried again. */
const triedKept = 1_000;
const snapshotKept = 2_000;

export interface RunningAttempt {
  readonly jobId: string;
  readonly depth: number;
  readonly startedAt: number;
}

interface Attempt extends RunningAttempt {
  readonly generation: number;
  endedAt: number | undefined;
  /** A file appeared that may be its own. */
  fruitful: boolean;
}

/** `doubt`: not more than a few at once, until there is more to say. */
export type Phase = 'free' | 'doubt' | 'probation' | 'looping';

/** What of it must survive a restart. */
export interface DetectorSnapshot {
  readonly rules: readonly string[];
  readonly phase: Phase;
  readonly suspicion: number;
  readonly generation: number;
  readonly runs: number;
  readonly observed: Observed;
  readonly suspects: readonly (readonly [jobId: string, generation: number])[];
}

/** Whose a file may be. */
export type Birth =
  /** It appeared when nothing of the set ran. */
  | { readonly kind: 'foreign' }
  /** It may be this attempt's; generation 1 is a file of a file that came from outside. */
  | { readonly kind: 'suspect'; readonly by: RunningAttempt };

export class Detector {
  readonly rules: ReadonlySet<string>;
  readonly #isStillLikely: () => boolean;
  #phase: Phase = 'free';
  readonly #recent: Attempt[] = [];
  readonly #running = new Map<string, Attempt>();
  /** Jobs of the set whose input may be its own, with the generation of the input. */
  readonly #suspects = new Map<string, number>();
  readonly #tried = new Map<string, number>();
  /** Admitted, about to start. */
  readonly #admitted = new Set<string>();
  /** Fruitful attempts since the last proof of the opposite; negative: credit. */
  #suspicion = 0;
  #generation = 0;
  #runs = 0;
  #credit = leastCredit;
  /** Paths of fruitful births; more than one is as good as many. */
  readonly #paths = new Set<string>();
  #cycles = new Cycles();
  #lastEndAt = -Infinity;
  #lastBirthAt = -Infinity;

  /** @param isStillLikely Asked before probation begins. */
  constructor(rules: Iterable<string>, snapshot?: DetectorSnapshot, isStillLikely = () => true) {
    this.rules = new Set(rules);
    this.#isStillLikely = isStillLikely;
    if (snapshot === undefined) return;
    this.#phase = snapshot.phase;
    this.#suspicion = snapshot.suspicion;
    this.#generation = snapshot.generation;
    this.#runs = snapshot.runs;
    this.#cycles = new Cycles(snapshot.observed);
    for (const [jobId, generation] of snapshot.suspects) this.#suspects.set(jobId, generation);
  }

  get phase(): Phase {
    return this.#phase;
  }

  get runs(): number {
    return this.#runs;
  }

  get evidence(): number {
    return evidence(this.#cycles.observed(this.#lastEndAt));
  }

  /** There is something that a restart must not forget. */
  get isNotable(): boolean {
    return this.#phase === 'probation' || this.#phase === 'looping';
  }

  snapshot(): DetectorSnapshot {
    return {
      rules: [...this.rules],
      phase: this.#phase,
      suspicion: this.#suspicion,
      generation: this.#generation,
      runs: this.#runs,
      observed: this.#cycles.observed(this.#lastEndAt),
      suspects: [...this.#tried, ...this.#suspects].slice(0, snapshotKept),
    };
  }

  /** Takes over what is known of the rules alone: they were found to feed each other. */
  inherit(others: readonly Detector[]): void {
    for (const other of others) {
      this.#recent.push(...other.#recent.map((attempt) => ({ ...attempt })));
      for (const [jobId, attempt] of other.#running) {
        const own = this.#recent.find(
          ({ jobId: id, startedAt }) => id === jobId && startedAt === attempt.startedAt,
        );
        if (own) this.#running.set(jobId, own);
      }
      for (const [jobId, generation] of other.#suspects) this.#suspects.set(jobId, generation);
      this.#lastEndAt = Math.max(this.#lastEndAt, other.#lastEndAt);
    }
    this.#recent.sort((a, b) => a.startedAt - b.startedAt);
    this.#runs = this.#runsInARow();
    this.#suspicion = 1;
  }

  /** Whether an attempt of the set may begin; `Infinity`: when one has ended. */
  mayStart(now: number): true | { readonly notBefore: number } {
    const load = this.#running.size + this.#admitted.size;
    if (this.#phase === 'free') return true;
    if (this.#phase === 'doubt') return load < this.#doubtfulLoad() || { notBefore: Infinity };
    if (load > 0) return { notBefore: Infinity };
    const notBefore = this.#pauseEndsAt(now);
    return notBefore <= now ? true : { notBefore };
  }

  /** It starts in a moment; ended or gone, if it does not. */
  admitted(jobId: string): void {
    this.#admitted.add(jobId);
  }

  /** Its input may be the set's own, and the set is known to feed itself. */
  holds(jobId: string, now: number): boolean {
    if (!this.#suspects.has(jobId) && !this.#tried.has(jobId)) return false;
    this.#conclude(now);
    if (this.#phase !== 'looping') return false;
    this.forgetJob(jobId);
    return true;
  }

  /** It ended without having run, or was held. */
  forgetJob(jobId: string): void {
    this.#suspects.delete(jobId);
    this.#tried.delete(jobId);
    this.#admitted.delete(jobId);
  }

  started({ jobId, depth, startedAt }: RunningAttempt): void {
    if (this.#suspicion < 0 && this.#running.size === 0 && startedAt - this.#lastEndAt > idleMs) {
      this.#suspicion = 0;
      this.#credit = leastCredit;
    }
    this.#admitted.delete(jobId);
    const generation = this.#suspects.get(jobId) ?? this.#tried.get(jobId) ?? 0;
    const attempt: Attempt = { jobId, depth, startedAt, generation, endedAt: undefined, fruitful: false };
    this.#runs = this.#suspicion <= 0 && this.#phase === 'free' ? this.#running.size + 1 : this.#runs + 1;
    if (this.#isOnProbation && this.#cycles.isFruitless(fruitless)) this.#clear();
    if (this.#isOnProbation) this.#cycles.began(startedAt);
    this.#recent.push(attempt);
    if (this.#recent.length > recentKept) {
      const oldest = this.#recent.findIndex(({ endedAt }) => endedAt !== undefined);
      if (oldest >= 0) this.#recent.splice(oldest, 1);
    }
    this.#running.set(jobId, attempt);
    this.#doubt();
  }

  ended(jobId: string, at: number): void {
    this.#admitted.delete(jobId);
    const generation = this.#suspects.get(jobId);
    if (generation !== undefined) {
      this.#suspects.delete(jobId);
      put(this.#tried, jobId, generation, triedKept);
    }
    const attempt = this.#running.get(jobId);
    if (!attempt) return;
    this.#running.delete(jobId);
    attempt.endedAt = at;
    this.#lastEndAt = at;
    if (this.#running.size === 0) this.#cycles.ended(at);
  }

  /**
   * A file of one of the rules appeared.
   * @param path Any text that is one per file.
   * @param bornAt When it got its content and its name: its ctime.
   */
  arrived(jobId: string, path: string, bornAt: number, at: number): Birth {
    this.#lastBirthAt = Math.max(this.#lastBirthAt, Math.min(bornAt, at));
    const causes = this.#recent.filter((attempt) => this.#covers(attempt, bornAt));
    const [first] = causes;
    if (!first) {
      if (this.#isRemembered(bornAt)) this.#foreign(bornAt, at);
      return { kind: 'foreign' };
    }
    let generation = first.generation;
    for (const cause of causes) generation = Math.min(generation, cause.generation);
    generation++;
    const barren = causes.find(({ fruitful }) => !fruitful);
    if (barren) {
      barren.fruitful = true;
      this.#suspicion++;
      if (this.#paths.size < 2) this.#paths.add(path);
      this.#generation = Math.max(this.#generation, generation);
    }
    this.#cycles.bornBusy(bornAt);
    put(this.#suspects, jobId, generation, suspectsKept);
    if (!this.#isOnProbation && this.#isSuspicious()) this.#beginProbation(at);
    else this.#doubt();
    return { kind: 'suspect', by: causes.at(-1) as Attempt };
  }

  /** Leaves probation when nothing happened for long: what fed itself has come to its end. */
  look(now: number): void {
    if (this.#phase !== 'probation' || this.#running.size > 0) return;
    const last = Math.max(this.#lastEndAt, this.#lastBirthAt);
    if (now - last > Math.max(60_000, 10 * this.#busyMs())) this.#clear();
  }

  #covers({ startedAt, endedAt }: Attempt, at: number): boolean {
    return startedAt - tickMs <= at && (endedAt === undefined || at <= endedAt + graceMs);
  }

  /** Older births say nothing: what ran then is forgotten. */
  #isRemembered(at: number): boolean {
    const [oldest] = this.#recent;
    return oldest !== undefined && at >= oldest.startedAt - tickMs;
  }

  get #isOnProbation(): boolean {
    return this.#phase === 'probation' || this.#phase === 'looping';
  }

  /** So many at once may already be what one of them wrote: not more, until it is known. */
  #doubt(): void {
    if (this.#phase === 'free' && this.#suspicion > 0 && this.#running.size >= this.#doubtfulLoad())
      this.#phase = 'doubt';
    else if (this.#phase === 'doubt' && this.#suspicion <= 0) this.#phase = 'free';
  }

  #foreign(bornAt: number, at: number): void {
    if (!this.#isOnProbation) {
      if (this.#suspicion > 0) this.#suspicion = Math.max(0, this.#suspicion - 3);
      return this.#doubt();
    }
    const isTelling = this.#cycles.bornQuiet(bornAt, at);
    if (isTelling && innocence(this.#cycles.observed(at)) >= enoughInnocence) this.#exonerate();
  }

  #isSuspicious(): boolean {
    if (this.#suspicion < (this.#paths.size > 1 ? suspiciousRuns : suspiciousRunsOfOneFile)) return false;
    return this.#generation >= suspiciousGeneration || this.#suspicion >= 4 * suspiciousRuns;
  }

  #beginProbation(at: number): void {
    if (!this.#isStillLikely()) return this.#clear();
    this.#phase = 'probation';
    this.#cycles = new Cycles();
    // What runs now is the first cycle, however many they are.
    if (this.#running.size > 0) this.#cycles.began(at);
  }

  #exonerate(): void {
    this.#clear();
    this.#suspicion = -this.#credit;
    this.#credit = Math.min(mostCredit, 2 * this.#credit);
  }

  #clear(): void {
    this.#phase = 'free';
    this.#suspicion = 0;
    this.#generation = 0;
    this.#runs = 0;
    this.#cycles = new Cycles();
    this.#paths.clear();
    this.#suspects.clear();
    this.#tried.clear();
  }

  #conclude(now: number): void {
    if (this.#phase !== 'probation' || this.#runs < enoughRuns) return;
    if (evidence(this.#cycles.observed(now)) >= enoughEvidence) this.#phase = 'looping';
  }

  /** How long an attempt keeps us from seeing who drops files: mean of the latest. */
  #busyMs(): number {
    const ended = this.#recent.filter(({ endedAt }) => endedAt !== undefined).slice(-8);
    let sum = 0;
    for (const { startedAt, endedAt = startedAt } of ended) sum += endedAt - startedAt;
    return (ended.length === 0 ? 0 : sum / ended.length) + graceMs;
  }

  #pauseEndsAt(now: number): number {
    if (this.#lastEndAt === -Infinity) return now;
    // A clock that was set back would make a pause of hours.
    this.#lastEndAt = Math.min(this.#lastEndAt, now);
    this.#lastBirthAt = Math.min(this.#lastBirthAt, now);
    const busyMs = this.#busyMs();
    // A stream with the rhythm of our attempts would miss every pause, were not some of them longer than its beat.
    const share = this.#runs % longPauseEvery === 0 ? longestPause : pauseShare;
    const shortest = Math.max(minPauseMs, share * busyMs);
    const pauseMs =
      this.#phase === 'looping' ? shortest : Math.max(shortest, this.#wantedPauseMs(busyMs, now));
    const endsAt = this.#lastEndAt + graceMs + Math.min(pauseMs, maxPauseMs);
    if (this.#phase !== 'looping') return endsAt;
    return Math.max(endsAt, Math.min(this.#lastBirthAt + calmMs, endsAt + 5 * calmMs));
  }

  /** Such that the evidence is complete by the last run. */
  #wantedPauseMs(busyMs: number, now: number): number {
    const left = lastRun - this.#runs;
    const missing = enoughEvidence - evidence(this.#cycles.observed(now));
    if (left <= 0 || missing <= 0) return 0;
    const wanted = Math.expm1(missing / Math.max(1, left * Math.max(0.25, this.#cycles.fruitfulShare())));
    return busyMs * Math.min(wanted, longestPause);
  }

  /** Attempts of late without a time in which there was nothing to do. */
  #runsInARow(): number {
    let runs = 0;
    let nextAt = Infinity;
    for (const { startedAt, endedAt } of this.#recent.toReversed()) {
      if (nextAt !== Infinity && endedAt !== undefined && nextAt - endedAt > idleMs) break;
      nextAt = Math.min(nextAt, startedAt);
      runs++;
    }
    return Math.min(runs, mostInherited);
  }

  /** More, the more attempts ended lately without new files. */
  #doubtfulLoad(): number {
    return (
      doubtfulLoad + this.#recent.filter(({ endedAt, fruitful }) => endedAt !== undefined && !fruitful).length
    );
  }
}

function put(map: Map<string, number>, key: string, value: number, kept: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= kept) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}

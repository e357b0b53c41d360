/** A world in which rules write files and people drop some, played as discrete events: minutes take milliseconds. */
import { Loops } from '../../src/coordinator/loops/loops.ts';

export interface SimRule {
  readonly name: string;
  /** Attempts at once. */
  readonly load: number;
  readonly durationMs: number;
  /** What one attempt writes: into which rule's folder, when after its start. `rewrites`: over its own input. */
  readonly writes: (run: { readonly n: number; readonly path: string }) => readonly SimWrite[];
}

export interface SimWrite {
  readonly rule: string;
  readonly afterMs: number;
  readonly rewrites?: boolean;
}

export interface SimDrop {
  readonly atMs: number;
  readonly rule: string;
  /** Default: a new name. */
  readonly path?: string;
}

export interface SimOptions {
  readonly rules: readonly SimRule[];
  readonly drops: readonly SimDrop[];
  /** A drop made as soon as the n-th attempt of a path has begun, n from 1: somebody who answers each. */
  readonly onStart?: (path: string, n: number) => number | undefined;
  /** So long after the receipt of a file that was dropped can be seen, the next is: somebody who waits for each. */
  readonly onReceipt?: () => number | undefined;
  readonly untilMs: number;
  readonly maxRuns?: number;
  readonly seed?: number;
  /** The daemon is started anew when so many attempts were made. */
  readonly restartAfterRuns?: number;
}

export interface SimResult {
  readonly runs: number;
  readonly ranForeign: number;
  readonly heldForeign: number;
  readonly heldOwn: number;
  readonly waitingForeign: number;
  readonly waitingOwn: number;
  readonly lastRunAtMs: number;
  /** Longest time a foreign file waited for its attempt. */
  readonly longestWaitMs: number;
  readonly phases: readonly string[];
}

interface Job {
  readonly id: string;
  readonly rule: SimRule;
  readonly path: string;
  readonly foreign: boolean;
  readonly arrivedAt: number;
}

const startMs = 1_700_000_000_000;

export function simulate(options: SimOptions): SimResult {
  const { rules, untilMs, maxRuns = 2_000 } = options;
  const random = numbers(options.seed ?? 1);
  let loops = new Loops({ maxDepth: 5 });
  const events: { at: number; n: number; act: () => void }[] = [];
  let next = 0;
  let now = startMs;
  let order = 0;
  let ids = 0;
  // Sorted drops are appended at once.
  const at = (time: number, act: () => void): void => {
    // Kept in order by insertion: most events are for later than the others.
    const event = { at: Math.max(time, now), n: order++, act };
    let place = events.length;
    while (place > next && (events[place - 1] as { at: number }).at > event.at) place--;
    events.splice(place, 0, event);
  };
  const queue: Job[] = [];
  const running = new Map<Job, number>();
  const startsOf = new Map<string, number>();
  const seen = { runs: 0, ranForeign: 0, heldForeign: 0, heldOwn: 0, lastRunAt: startMs, longestWaitMs: 0 };
  const phases = new Set<string>();

  const write = (rule: SimRule, path: string, foreign: boolean): void => {
    const bornAt = now - (now % 4);
    at(now + 5 + random() * 60, () => {
      const job: Job = { id: `j${ids++}`, rule, path, foreign, arrivedAt: now };
      const older = queue.findIndex((other) => other.path === path);
      if (older >= 0) {
        const [gone] = queue.splice(older, 1);
        if (gone) loops.jobGone(gone.id, gone.rule.name);
      }
      const stamp = job.id;
      const verdict = loops.arrived({
        jobId: job.id,
        rule: rule.name,
        root: rule.name,
        path,
        stamp,
        sha256: stamp,
        bornAt,
        at: now,
      });
      if (verdict.hold) hold(job);
      else queue.push(job);
      pump();
    });
  };
  const hold = (job: Job): void => {
    if (job.foreign) seen.heldForeign++;
    else seen.heldOwn++;
  };
  const begin = (job: Job): void => {
    const { rule } = job;
    const n = (startsOf.get(job.path) ?? 0) + 1;
    startsOf.set(job.path, n);
    seen.runs++;
    seen.lastRunAt = now;
    if (job.foreign) {
      seen.ranForeign++;
      seen.longestWaitMs = Math.max(seen.longestWaitMs, now - job.arrivedAt);
    }
    const pace = 0.95 + 0.1 * random();
    const endsAt = now + rule.durationMs * pace;
    running.set(job, endsAt);
    loops.attemptStarted({ jobId: job.id, rule: rule.name, depth: 0, at: now, confined: false });
    for (const made of rule.writes({ n: seen.runs, path: job.path })) {
      const target = rules.find(({ name }) => name === made.rule) as SimRule;
      at(now + made.afterMs * pace, () => write(target, made.rewrites ? job.path : `own${ids++}`, false));
    }
    const answerMs = options.onStart?.(job.path, n);
    if (answerMs !== undefined) at(now + answerMs, () => write(rule, job.path, true));
    at(endsAt, () => {
      running.delete(job);
      loops.attemptEnded(job.id, now);
      const nextMs = job.foreign ? options.onReceipt?.() : undefined;
      if (nextMs !== undefined)
        at(loops.seenFrom(rule.name, now) + nextMs, () => write(rule, `after${ids++}`, true));
      pump();
    });
    if (seen.runs === options.restartAfterRuns) restart();
  };
  /** What runs is run to its end; the new process has only what was kept. */
  const restart = (): void => {
    loops = new Loops({ maxDepth: 5, snapshot: JSON.parse(JSON.stringify(loops.snapshot())) });
    for (const job of running.keys())
      loops.attemptStarted({ jobId: job.id, rule: job.rule.name, depth: 0, at: now, confined: false });
  };
  let pumpsAt = Infinity;
  const pumpAt = (time: number): void => {
    if (time >= pumpsAt && pumpsAt > now) return;
    pumpsAt = time;
    at(time, pump);
  };
  const pump = (): void => {
    for (const watched of loops.watched()) phases.add(watched.phase);
    const isLooping = loops.watched().some(({ phase }) => phase === 'looping');
    const closed = new Set<SimRule>();
    for (let place = 0; place < queue.length && closed.size < rules.length; place++) {
      const job = queue[place] as Job;
      if (closed.has(job.rule)) continue;
      const used = [...running.keys()].filter(({ rule }) => rule === job.rule).length;
      if (used >= job.rule.load) {
        closed.add(job.rule);
        continue;
      }
      const admission = loops.admit(job.id, job.rule.name, now);
      if (admission.kind === 'later') {
        if (Number.isFinite(admission.notBefore) && !closed.has(job.rule)) pumpAt(admission.notBefore);
        if (!isLooping) closed.add(job.rule);
        continue;
      }
      queue.splice(place--, 1);
      if (admission.kind === 'hold') hold(job);
      else begin(job);
    }
  };

  for (const { atMs, rule, path } of options.drops) {
    const target = rules.find(({ name }) => name === rule) as SimRule;
    at(startMs + atMs, () => write(target, path ?? `drop${ids++}`, true));
  }
  for (let event = events[next]; event; event = events[next]) {
    next++;
    if (event.at > startMs + untilMs || seen.runs >= maxRuns) break;
    now = event.at;
    event.act();
  }
  return {
    runs: seen.runs,
    ranForeign: seen.ranForeign,
    heldForeign: seen.heldForeign,
    heldOwn: seen.heldOwn,
    waitingForeign: queue.filter(({ foreign }) => foreign).length,
    waitingOwn: queue.filter(({ foreign }) => !foreign).length,
    lastRunAtMs: seen.lastRunAt - startMs,
    longestWaitMs: seen.longestWaitMs,
    phases: [...phases],
  };
}

/** Numbers in [0, 1), the same for one seed. */
export function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * Runs commands and ends them: the heart of the helper process. An attempt is told as ended only when nothing of its tree
 * is left, and only after its line stands in the journal. Everything here is one thread and, but for a refused start in
 * the portable way, synchronous: no state can change between a look and the act that follows from it.
 */
import { closeSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { AttemptOutcome, EndReason } from '../../types/agent.ts';
import { messageOf } from '../../types/errors.ts';
import { CommandLookup } from '../command-lookup.ts';
import { askToEnd } from './ask.ts';
import { type Attempt, addUsage, conclude, measure, OutputFiles, openInput, overstepped } from './attempt.ts';
import { endedBy, urgentGraceMs } from './end-reason.ts';
import type { JournalWriter } from './journal.ts';
import { LaunchError, type Launcher, type OnExit } from './launcher.ts';
import type { Cage } from './limits/cage.ts';
import type { Keeper } from './limits/keeper.ts';
import { MemoryWatch } from './limits/tree-memory.ts';
import { memoryExceeded } from './limits/words.ts';
import { attemptVariable, nextSeq, projectVariable } from './mark.ts';
import type { SpawnExit, StartRequest } from './protocol.ts';
import { refusalOf } from './refusal.ts';
import { type Survey, survey } from './tree.ts';

export interface UndertakerOptions {
  readonly tag: string;
  /** From the polite signal to the other one. */
  readonly graceMs: number;
  readonly journal: JournalWriter;
  readonly keeper: Keeper;
  readonly report: (id: number, exit: SpawnExit) => void;
  readonly log: (text: string) => void;
}

/** What a command that ended by itself left in the background gets less time than one that is cancelled. */
const leftoverGraceMs = 1_000;
/** A process that survives SIGKILL for so long hangs in the kernel or belongs to another user: we stop waiting. */
const giveUpAfterMs = 30_000;
/** How often a tree that is being ended is looked at, besides at every exit. */
const endingTickMs = 20;
/** So long a namespace may take to end after its bubblewrap: mostly it is one millisecond. */
const namespaceEndsMs = 20;

export class Undertaker {
  readonly #options: UndertakerOptions;
  readonly #attempts = new Map<number, Attempt>();
  readonly #leaders = new Map<number, Attempt>();
  #launcher!: Launcher;
  readonly #lookup = new CommandLookup();
  #seq = 0;
  #timer: NodeJS.Timeout | undefined;
  #timerMono = Number.POSITIVE_INFINITY;
  #closing: (() => void) | undefined;

  constructor(options: UndertakerOptions) {
    this.#options = options;
  }

  /** Hands over the way of starting; its `onExit` and `onDrained` must lead here. */
  use(launcher: Launcher): void {
    this.#launcher = launcher;
  }

  readonly onExit: OnExit = (pid, status, usage = {}) => {
    const attempt = this.#leaders.get(pid);
    if (attempt === undefined) {
      const known = this.#attempts.values().find(({ members }) => members.has(pid));
      const adopter = known ?? this.#namespaceOf(pid);
      if (adopter !== undefined) addUsage(adopter, usage);
      return;
    }
    this.#leaders.delete(pid);
    attempt.exit = status;
    addUsage(attempt, usage);
  };

  /**
   * Bubblewrap ends before the first process of its namespace, which has waited for all others there: what they used comes
   * with that one, a child of ours by then. It was started right after its bubblewrap; of several that end in the same
   * moment one may be told of another's.
   */
  #namespaceOf(pid: number): Attempt | undefined {
    const ended = this.#attempts
      .values()
      .filter(({ request, exit }) => request.sandboxed && exit !== undefined);
    return ended
      .filter(({ leader }) => leader < pid)
      .reduce<Attempt | undefined>((best, one) => (best && best.leader > one.leader ? best : one), undefined);
  }

  /** After a batch of exits: trees whose leader has ended, and those that are being ended, may be gone now. */
  readonly onDrained = (): void => {
    for (const attempt of this.#attempts.values()) {
      if (attempt.killMono !== undefined) this.#schedule(0);
      else if (attempt.exit !== undefined) this.#settle(attempt);
    }
  };

  async start(id: number, request: StartRequest): Promise<void> {
    const startedAt = Date.now();
    let files: OutputFiles | undefined;
    let cage: Cage | undefined;
    let stdinFd: number | undefined;
    try {
      const seq = nextSeq(this.#seq);
      this.#seq = seq;
      const { argv, env: given, cwd } = request;
      const found = this.#lookup.find(argv[0] ?? '', given.PATH ?? '', cwd);
      if ('code' in found) throw new LaunchError(found.code, found.message);
      files = new OutputFiles(request);
      cage = this.#options.keeper.open(seq, request);
      const tag = `${this.#options.tag}.${request.job}.${request.n}`;
      const env = { ...request.env, [projectVariable]: this.#options.tag, [attemptVariable]: tag };
      const { stdoutFd, stderrFd } = files;
      stdinFd = request.stdin === undefined ? undefined : openInput(request.stdin);
      const launch = {
        ...behind(cage, found.file, request.argv),
        env,
        cwd: request.cwd,
        ...(stdinFd !== undefined && { stdinFd }),
        stdoutFd,
        stderrFd,
        seq,
      };
      const started =
        cage === undefined ? this.#launcher.start(launch) : cage.enter(() => this.#launcher.start(launch));
      const leader = typeof started === 'number' ? started : await started;
      cage?.started(leader);
      const now = performance.now();
      const attempt: Attempt = {
        ...{ id, request, files, seq, tag, leader, startedAt, startedMono: now },
        ...{
          groupPinned: true,
          members: new Map(),
          bytes: 0,
          measuredMono: now,
          grownMono: now,
          measureMono: now + 20,
          used: {},
        },
        ...(cage === undefined ? {} : { cage }),
        ...(cage?.watchedBytes === undefined ? {} : { watch: new MemoryWatch(cage.watchedBytes, now) }),
      };
      this.#attempts.set(id, attempt);
      this.#leaders.set(leader, attempt);
      this.#scheduleFor(attempt, now);
    } catch (error) {
      files?.close();
      cage?.remove();
      const outcome = refusalOf(error, request);
      this.#finish(id, request, { outcome, startedAt, endedAt: Date.now(), stdoutBytes: 0, stderrBytes: 0 });
    } finally {
      if (stdinFd !== undefined) closeSync(stdinFd);
    }
  }

  cancel(id: number, reason: EndReason): void {
    const attempt = this.#attempts.get(id);
    const { graceMs } = this.#options;
    if (attempt !== undefined)
      this.#end(
        attempt,
        endedBy(reason),
        typeof reason === 'string' ? graceMs : Math.min(graceMs, urgentGraceMs),
      );
  }

  /** Ends every tree at once. Resolves when nothing is left. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#closing = resolve;
      for (const attempt of this.#attempts.values()) {
        // One whose command had ended by itself keeps that outcome: the next daemon finds it in the journal.
        if (attempt.exit === undefined) attempt.verdict ??= { kind: 'interrupted' };
        attempt.killMono = 0;
        attempt.giveUpMono ??= performance.now() + giveUpAfterMs;
      }
      this.#tick();
      this.#closeIfEmpty();
    });
  }

  /** The leader is gone: is its tree? */
  #settle(attempt: Attempt): void {
    const { leader, request } = attempt;
    attempt.groupPinned = this.#launcher.kill(-leader, 0);
    // Whatever tore itself loose was adopted by us. Children that are no leaders need a closer look.
    const loose = this.#launcher.children()?.some((pid) => !this.#leaders.has(pid)) ?? true;
    // Bubblewrap tells the end of its command a moment before the namespace, with all in it, is gone, which we are told of
    // as well: a look at every process of the machine would take longer than that.
    const now = performance.now();
    attempt.settleMono ??= now + (request.sandboxed ? namespaceEndsMs : 0);
    if ((attempt.groupPinned || loose) && now < attempt.settleMono) return this.#schedule(attempt.settleMono);
    if (!attempt.groupPinned && (!loose || this.#survey().isGone(attempt))) this.#conclude(attempt);
    else this.#end(attempt, undefined, Math.min(this.#options.graceMs, leftoverGraceMs));
  }

  /** Asks the whole tree to end; after the grace it is made to. */
  #end(attempt: Attempt, verdict: AttemptOutcome | undefined, graceMs: number): void {
    if (attempt.killMono !== undefined) return;
    const now = performance.now();
    if (verdict !== undefined) attempt.verdict = verdict;
    attempt.killMono = now + graceMs;
    attempt.giveUpMono = attempt.killMono + giveUpAfterMs;
    const asked = askToEnd(attempt, this.#survey().of(attempt), this.#launcher);
    if (!asked) attempt.killMono = now;
    this.#schedule(now + Math.min(endingTickMs, attempt.killMono - now));
  }

  /** Looks at all processes; what belongs to no attempt any more is ended on the spot. */
  #survey(depth: 'full' | 'glance' = 'full'): Survey {
    const found = survey([...this.#attempts.values()], this.#launcher, { depth });
    for (const stray of found.strays) this.#launcher.kill(stray.pid, 'SIGKILL');
    return found;
  }

  #tick(): void {
    const now = performance.now();
    this.#timer = undefined;
    this.#timerMono = Number.POSITIVE_INFINITY;
    const ending: Attempt[] = [];
    const hogs = this.#hogs(now);
    for (const attempt of this.#attempts.values()) {
      if (attempt.killMono === undefined) {
        if (attempt.exit !== undefined) {
          this.#settle(attempt);
          continue;
        }
        const hasRunOut = hogs.has(attempt) || (now >= attempt.measureMono && attempt.cage?.hasRunOut());
        if (now >= attempt.measureMono) measure(attempt, now);
        const verdict = overstepped(attempt, now);
        // Nobody reads on where the bound was overstepped, and a flood should not have another five seconds.
        if (hasRunOut) this.#end(attempt, memoryExceeded(attempt.request.limits?.memoryBytes ?? 0), 0);
        else if (verdict !== undefined)
          this.#end(attempt, verdict, verdict.kind === 'output_exceeded' ? 0 : this.#options.graceMs);
      }
      if (attempt.killMono !== undefined) ending.push(attempt);
      else this.#scheduleFor(attempt, now);
    }
    if (ending.length > 0) this.#endingTick(ending, now);
  }

  /** Attempts whose memory is watched and that use too much. When one is due, all are looked at: the table is read once. */
  #hogs(now: number): ReadonlySet<Attempt> {
    const watched = this.#attempts.values().filter(({ watch, killMono }) => watch && killMono === undefined);
    const due = [...watched];
    if (!due.some(({ watch }) => watch !== undefined && now >= watch.dueMono)) return new Set();
    const found = this.#survey('glance');
    return new Set(due.filter((attempt) => attempt.watch?.look(found.of(attempt), now)));
  }

  #endingTick(ending: readonly Attempt[], now: number): void {
    for (const attempt of ending)
      if (attempt.exit !== undefined) attempt.groupPinned &&= this.#launcher.kill(-attempt.leader, 0);
    const found = this.#survey();
    for (const attempt of ending) {
      const tree = found.of(attempt);
      if (attempt.exit !== undefined && found.isGone(attempt)) this.#conclude(attempt);
      else if (now >= (attempt.giveUpMono ?? 0)) this.#giveUp(attempt, tree.length);
      else {
        // The table was read in this same step: a pid in it cannot have passed to another program meanwhile.
        if (now >= (attempt.killMono ?? 0)) {
          attempt.cage?.kill();
          for (const row of tree) this.#launcher.kill(row.pid, 'SIGKILL');
        }
        this.#schedule(now + (now >= (attempt.killMono ?? 0) ? endingTickMs / 4 : endingTickMs));
      }
    }
  }

  #giveUp(attempt: Attempt, survivors: number): void {
    this.#options.log(
      `attempt ${attempt.tag}: ${survivors} processes could not be ended; no longer waiting for them`,
    );
    this.#leaders.delete(attempt.leader);
    this.#conclude(attempt, survivors);
  }

  #conclude(attempt: Attempt, survivors = 0): void {
    this.#attempts.delete(attempt.id);
    this.#finish(attempt.id, attempt.request, conclude(attempt, survivors));
  }

  #finish(id: number, request: StartRequest, exit: SpawnExit): void {
    if (exit.outcome.kind !== 'interrupted') {
      try {
        this.#options.journal.append({ job: request.job, n: request.n, exit, journal: request.journal });
      } catch (error) {
        this.#options.log(`attempts.journal cannot be written: ${messageOf(error)}`);
      }
    }
    this.#options.report(id, exit);
    this.#closeIfEmpty();
  }

  #closeIfEmpty(): void {
    if (this.#attempts.size === 0) this.#closing?.();
  }

  #scheduleFor(attempt: Attempt, now: number): void {
    const { timeoutMs, idleTimeoutMs = Number.POSITIVE_INFINITY, limits } = attempt.request;
    const runtimeMs = limits?.runtimeMs ?? Number.POSITIVE_INFINITY;
    const ends = attempt.startedMono + Math.min(timeoutMs, runtimeMs);
    const looks = Math.min(attempt.measureMono, attempt.watch?.dueMono ?? Number.POSITIVE_INFINITY);
    this.#schedule(Math.max(now + 1, Math.min(looks, ends, attempt.grownMono + idleTimeoutMs)));
  }

  /** One timer for all: it is moved only when something is due earlier. */
  #schedule(atMono: number): void {
    if (atMono >= this.#timerMono) return;
    clearTimeout(this.#timer);
    this.#timerMono = atMono;
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, atMono - performance.now()));
  }
}

/** The command, behind what holds it. */
function behind(
  cage: Cage | undefined,
  file: string,
  argv: readonly string[],
): { readonly file: string; readonly argv: readonly string[] } {
  const first = cage?.prefix[0];
  if (cage === undefined || first === undefined) return { file, argv };
  return { file: first, argv: [...cage.prefix, file, ...argv.slice(1)] };
}

/**
 * Runs commands and ends them: the heart of the helper process. An attempt is told as ended only when nothing of its tree
 * is left, and only after its line stands in the journal. Everything here is one thread and, but for a refused start in
 * the portable way, synchronous: no state can change between a look and the act that follows from it.
 */
import { performance } from 'node:perf_hooks';
import type { AttemptOutcome } from '../../types/agent.ts';
import { messageOf, systemCode } from '../../types/errors.ts';
import { type FoundCommand, findCommand } from '../find-command.ts';
import { type Attempt, conclude, measure, OutputFiles, overstepped } from './attempt.ts';
import type { JournalWriter } from './journal.ts';
import { type ExitStatus, LaunchError, type Launcher } from './launcher.ts';
import { attemptVariable, nextSeq, projectVariable } from './mark.ts';
import type { SpawnExit, StartRequest } from './protocol.ts';
import { explainRefusal } from './refusal.ts';
import { type Survey, survey } from './tree.ts';

export interface UndertakerOptions {
  readonly tag: string;
  /** From the polite signal to the other one. */
  readonly graceMs: number;
  readonly journal: JournalWriter;
  readonly report: (id: number, exit: SpawnExit) => void;
  readonly log: (text: string) => void;
}

/** What a command that ended by itself left in the background gets less time than one that is cancelled. */
const leftoverGraceMs = 1_000;
/** A process that survives SIGKILL for so long hangs in the kernel or belongs to another user: we stop waiting. */
const giveUpAfterMs = 30_000;
/** How often a tree that is being ended is looked at, besides at every exit. */
const endingTickMs = 20;
const lookupMs = 1_000;
const lookupsKept = 100;

export class Undertaker {
  readonly #options: UndertakerOptions;
  readonly #attempts = new Map<number, Attempt>();
  readonly #leaders = new Map<number, Attempt>();
  #launcher!: Launcher;
  readonly #found = new Map<string, { readonly found: FoundCommand; readonly untilMono: number }>();
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

  readonly onExit = (pid: number, status: ExitStatus): void => {
    const attempt = this.#leaders.get(pid);
    if (attempt === undefined) return;
    this.#leaders.delete(pid);
    attempt.exit = status;
    if (attempt.killMono === undefined) this.#settle(attempt);
  };

  /** After a batch of exits: trees that are being ended may be gone now. */
  readonly onDrained = (): void => {
    for (const attempt of this.#attempts.values()) if (attempt.killMono !== undefined) this.#schedule(0);
  };

  async start(id: number, request: StartRequest): Promise<void> {
    const startedAt = Date.now();
    let files: OutputFiles | undefined;
    try {
      const seq = nextSeq(this.#seq);
      this.#seq = seq;
      const found = this.#lookup(request);
      if ('code' in found) throw new LaunchError(found.code, found.message);
      files = new OutputFiles(request);
      const tag = `${this.#options.tag}.${request.job}.${request.n}`;
      const env = { ...request.env, [projectVariable]: this.#options.tag, [attemptVariable]: tag };
      const { argv, cwd } = request;
      const { stdoutFd, stderrFd } = files;
      const started = this.#launcher.start({ file: found.file, argv, env, cwd, stdoutFd, stderrFd, seq });
      const leader = typeof started === 'number' ? started : await started;
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
        },
      };
      this.#attempts.set(id, attempt);
      this.#leaders.set(leader, attempt);
      this.#scheduleFor(attempt, now);
    } catch (error) {
      files?.close();
      const code = error instanceof LaunchError ? error.code : (systemCode(error) ?? 'EINVAL');
      const outcome = {
        kind: 'spawn_failed',
        code,
        message: explainRefusal(code, messageOf(error), request),
      } as const;
      this.#finish(id, request, { outcome, startedAt, endedAt: Date.now(), stdoutBytes: 0, stderrBytes: 0 });
    }
  }

  /** Looks anew after a second: a look costs two dozen stats where PATH is long. */
  #lookup({ argv, env, cwd }: StartRequest): FoundCommand {
    const key = `${argv[0]}\0${env.PATH}\0${cwd}`;
    const now = performance.now();
    const known = this.#found.get(key);
    if (known !== undefined && now < known.untilMono) return known.found;
    const found = findCommand(argv[0] ?? '', env.PATH ?? '', cwd);
    if (this.#found.size >= lookupsKept) this.#found.clear();
    if ('file' in found) this.#found.set(key, { found, untilMono: now + lookupMs });
    return found;
  }

  cancel(id: number, reason: string): void {
    const attempt = this.#attempts.get(id);
    if (attempt !== undefined) this.#end(attempt, { kind: 'cancelled', reason }, this.#options.graceMs);
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
    const { leader } = attempt;
    attempt.groupPinned = this.#launcher.kill(-leader, 0);
    // Whatever tore itself loose was adopted by us. Children that are no leaders need a closer look.
    const loose = this.#launcher.children()?.some((pid) => !this.#leaders.has(pid)) ?? true;
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
    const tree = this.#survey().of(attempt);
    // Each process gets the signal once: many programs take a second one for "at once".
    if (attempt.groupPinned) this.#launcher.kill(-attempt.leader, 'SIGTERM');
    for (const row of tree) {
      if (row.pgid !== attempt.leader || !attempt.groupPinned) this.#launcher.kill(row.pid, 'SIGTERM');
      // A stopped process takes signals only once it goes on.
      if (row.state === 'T') this.#launcher.kill(row.pid, 'SIGCONT');
    }
    this.#schedule(now + Math.min(endingTickMs, graceMs));
  }

  /** Looks at all processes; what belongs to no attempt any more is ended on the spot. */
  #survey(): Survey {
    const found = survey([...this.#attempts.values()], this.#launcher);
    for (const stray of found.strays) this.#launcher.kill(stray.pid, 'SIGKILL');
    return found;
  }

  #tick(): void {
    const now = performance.now();
    this.#timer = undefined;
    this.#timerMono = Number.POSITIVE_INFINITY;
    const ending: Attempt[] = [];
    for (const attempt of this.#attempts.values()) {
      if (attempt.killMono === undefined) {
        if (now >= attempt.measureMono) measure(attempt, now);
        const verdict = overstepped(attempt, now);
        // Nobody reads on where the bound was overstepped, and a flood should not have another five seconds.
        if (verdict !== undefined)
          this.#end(attempt, verdict, verdict.kind === 'output_exceeded' ? 0 : this.#options.graceMs);
      }
      if (attempt.killMono !== undefined) ending.push(attempt);
      else this.#scheduleFor(attempt, now);
    }
    if (ending.length > 0) this.#endingTick(ending, now);
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
        if (now >= (attempt.killMono ?? 0)) for (const row of tree) this.#launcher.kill(row.pid, 'SIGKILL');
        this.#schedule(now + (now >= (attempt.killMono ?? 0) ? endingTickMs / 4 : endingTickMs));
      }
    }
  }

  #giveUp(attempt: Attempt, survivors: number): void {
    this.#options.log(
      `attempt ${attempt.tag}: ${survivors} processes could not be ended; no longer waiting for them`,
    );
    this.#leaders.delete(attempt.leader);
    this.#conclude(attempt);
  }

  #conclude(attempt: Attempt): void {
    this.#attempts.delete(attempt.id);
    this.#finish(attempt.id, attempt.request, conclude(attempt));
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
    const { timeoutMs, idleTimeoutMs = Number.POSITIVE_INFINITY } = attempt.request;
    const deadline = Math.min(attempt.startedMono + timeoutMs, attempt.grownMono + idleTimeoutMs);
    this.#schedule(Math.max(now + 1, Math.min(attempt.measureMono, deadline)));
  }

  /** One timer for all: it is moved only when something is due earlier. */
  #schedule(atMono: number): void {
    if (atMono >= this.#timerMono) return;
    clearTimeout(this.#timer);
    this.#timerMono = atMono;
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, atMono - performance.now()));
  }
}

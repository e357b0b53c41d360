/**
 * Loops, where they touch the rest: what is known of them survives a restart, a suspicion is a condition, rules under
 * suspicion have lanes of their own so that what must wait hides nothing else. The reasoning is in `loops/`.
 */
import { lstatSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentConfig, Config } from '../config/config.ts';
import type { Lease, Ledger } from '../ledger/ledger.ts';
import type { Conditions } from '../types/condition.ts';
import type { JobId, JobInput } from '../types/job.ts';
import { fsPath } from '../types/path-bytes.ts';
import { type Admission, Loops, type LoopsSnapshot, type LoopVerdict, unseenMs } from './loops/loops.ts';

const KIND = 'loops';
const NAME = 'state';

export interface LoopGuardOptions {
  readonly ledger: Pick<Ledger, 'kept' | 'written' | 'jobs'>;
  readonly conditions: Pick<Conditions, 'raise' | 'clear'>;
  readonly now: () => number;
  /** An attempt of this agent cannot write into any root. */
  readonly isConfined: (agent: AgentConfig) => boolean;
}

export class LoopGuard {
  readonly #o: LoopGuardOptions;
  #loops: Loops;
  #config: Config;
  /** Somebody could have written into a root, now or before the restart. */
  #isAwake = false;
  #kept = '';
  #watched = new Set<string>();

  constructor(config: Config, options: LoopGuardOptions) {
    this.#o = options;
    this.#config = config;
    this.#loops = new Loops({ maxDepth: config.daemon.maxDepth });
  }

  /** Reads what an earlier process knew. */
  async load(): Promise<void> {
    const snapshot = (await this.#o.ledger.kept.get(KIND, NAME)) as LoopsSnapshot | undefined;
    if (!snapshot) return;
    this.#isAwake = true;
    this.#loops = new Loops({ maxDepth: this.#config.daemon.maxDepth, snapshot });
    this.#tell();
  }

  configure(config: Config): void {
    const before = describe(this.#config);
    const after = describe(config);
    for (const [rule, text] of before) if (after.get(rule) !== text) this.#loops.forget(rule);
    this.#config = config;
    this.#loops.maxDepth = config.daemon.maxDepth;
    this.#tell();
  }

  /** Rules whose files run one at a time now. */
  get watched(): ReadonlySet<string> {
    return this.#watched;
  }

  /** Where a file that is taken in comes from. @param file Absolute. */
  async arrived(jobId: JobId, rule: string, input: JobInput, file: string): Promise<LoopVerdict> {
    const { ledger, now } = this.#o;
    const written = await ledger.written.get(input.root, input.path);
    if (!written && !this.#isAwake) return { depth: 0 };
    const at = now();
    const verdict = this.#loops.arrived({
      jobId,
      rule,
      root: input.root,
      path: input.path,
      stamp: input.stamp,
      sha256: input.sha256,
      bornAt: lstatSync(fsPath(file), { throwIfNoEntry: false })?.ctimeMs ?? at,
      at,
      ...(written && { written }),
    });
    this.#tell();
    return verdict;
  }

  /** Whether jobs of this rule may be claimed now. `Infinity`: when an attempt has ended. */
  mayStart(rule: string): true | { readonly notBefore: number } {
    return this.#loops.mayStart(rule, this.#o.now());
  }

  /** Asked for a claimed job, before anything is started for it. */
  admit({ job }: Lease): Admission {
    if (!this.#isAwake) return { kind: 'run' };
    return this.#loops.admit(job.id, job.rule, this.#o.now(), job.batch);
  }

  /** A person lets the job go on. */
  released(id: JobId): void {
    this.#loops.released(id);
  }

  started(agent: AgentConfig, { job }: Lease): void {
    const confined = this.#o.isConfined(agent);
    if (confined) return;
    this.#isAwake = true;
    const { id: jobId, rule, depth, batch } = job;
    const at = this.#o.now();
    this.#loops.attemptStarted({ jobId, rule, depth, at, confined, ...(batch !== undefined && { batch }) });
    this.#tell();
  }

  /** @param at When its processes were gone. */
  async ended({ job }: Lease, at: number): Promise<void> {
    if (!this.#isAwake) return;
    this.#loops.attemptEnded(job.id, Math.min(at, this.#o.now()));
    this.#tell();
    await this.keep();
  }

  /** Call before anything of an attempt that has ended can be seen outside. */
  async mayBeSeen(rule: string, endedAt: number): Promise<void> {
    const leftMs = this.#loops.seenFrom(rule, endedAt) - this.#o.now();
    // A clock that was set back since its end does not stop it.
    if (leftMs > 0) await sleep(Math.min(leftMs, unseenMs));
  }

  /** The job ended without an attempt. */
  gone(id: JobId, rule: string): void {
    if (this.#isAwake) this.#loops.jobGone(id, rule);
  }

  /** Now and then: a suspicion that nothing confirms passes. */
  async look(): Promise<void> {
    if (!this.#isAwake) return;
    this.#loops.look(this.#o.now());
    this.#tell();
    await this.keep();
  }

  async keep(): Promise<void> {
    const snapshot = this.#loops.snapshot();
    const text = JSON.stringify(snapshot);
    if (text === this.#kept || (this.#kept === '' && snapshot.detectors.length === 0)) return;
    this.#kept = text;
    await this.#o.ledger.kept.put(KIND, NAME, snapshot);
  }

  #tell(): void {
    const { conditions } = this.#o;
    const groups = this.#loops.watched();
    const watched = new Set(groups.flatMap(({ rules }) => rules));
    for (const rule of this.#watched) if (!watched.has(rule)) conditions.clear('LOOP_SUSPECTED', rule);
    for (const { rules, phase, runs, isSerious } of groups) {
      if (!isSerious) continue;
      const names = rules.map((rule) => `"${rule}"`).join(' and ');
      const [subject = ''] = rules;
      conditions.raise({
        code: 'LOOP_SUSPECTED',
        subject,
        message:
          phase === 'looping'
            ? `what the agents of ${names} write starts them again: ${runs} runs; further files are held`
            : `what the agents of ${names} write may start them again; their files run one at a time until that is known`,
        fix: 'Let the agent write to $SLUICE_OUTPUT_DIR or outside of the watched folders, or exclude what it writes from the pattern. `sluice jobs list --state held` shows what is held.',
      });
    }
    this.#watched = watched;
  }
}

/** What decides whether an earlier observation still means anything. */
function describe({ rules, agents }: Config): ReadonlyMap<string, string> {
  return new Map(
    rules.map(({ name, patterns, target }) => {
      const names = target.kind === 'agent' ? [target.agent] : target.kind === 'select' ? target.agents : [];
      return [name, JSON.stringify([patterns, names.map((agent) => agents.get(agent))])];
    }),
  );
}

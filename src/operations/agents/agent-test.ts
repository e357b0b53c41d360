/**
 * `sluice agents test`: one small job for one agent, told step by step as it goes on. It is a step without a run, so that
 * limits, budgets, sandbox, proof and receipt are those of any job; it is tried once, taken from no cache, goes to no
 * fallback, and is cancelled as soon as it would have to wait for something that does not come by itself.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readPlain } from '../../agents/plain-file.ts';
import { type AgentConfig, isCliAgent } from '../../config/config.ts';
import type { CoordinatorEvent } from '../../coordinator/events.ts';
import type { AgentEvent } from '../../types/agent.ts';
import { AppError } from '../../types/errors.ts';
import { type JobId, type JobRecord, passingWaits, type WaitReason, waitsUntil } from '../../types/job.ts';
import { AGENTS_TEST, type StepTask } from '../../types/step-task.ts';
import type { Host } from '../host.ts';
import type { JobDetail } from '../operations.ts';

export interface AgentTestStep {
  /** From 1. */
  readonly n: number;
  /** Since the test began. */
  readonly at_ms: number;
  readonly what: 'program' | 'login' | 'queued' | 'started' | 'event' | 'waiting' | 'held' | 'ended';
  readonly text: string;
  /** Something is wrong; `fix` says what to do. */
  readonly is_problem?: true;
  readonly fix?: string;
}

export interface AgentTestReport {
  readonly test_id: string;
  readonly agent: string;
  readonly kind: string;
  readonly prompt: string;
  readonly state: 'running' | 'passed' | 'failed';
  /** Absent where it was not even started. */
  readonly job_id?: string;
  /** Steps after the one that was named. */
  readonly steps: readonly AgentTestStep[];
  /** From the start of the attempt; null: it told nothing while it ran. */
  readonly first_event_ms: number | null;
  readonly events: number;
  readonly tool_calls: number;
  /** When it is over: the receipt. */
  readonly job?: JobDetail;
}

export interface AgentTestDeps {
  readonly host: Pick<Host, 'config' | 'coordinator' | 'ledger' | 'lookAt'>;
  readonly describe: (job: JobRecord) => Promise<JobDetail>;
  readonly agent: AgentConfig;
  /** Absent: for an agent CLI a question with a known answer, for others a line of text. */
  readonly prompt?: string;
  /** Ends it. */
  readonly signal: AbortSignal;
}

const QUESTION = 'Answer with the single word OK.';
const LINE = 'This line is a test of `sluice agents test`.\n';
const POLL_MS = 200;
const LONGEST_MS = 300_000;
/** Afterwards it is said that it waits for its turn. */
const QUEUED_MS = 3_000;
/** An agent that tells more is told of no longer; it is counted. */
const MAX_STEPS = 500;
const TEXT_CHARS = 400;
const EVENT_BYTES = 1 << 20;
/** Before everything else that waits for this agent. */
const PRIORITY = 1_000_000;

/** Somebody watches, who can also answer. */
const passing: ReadonlySet<string | undefined> = new Set([...passingWaits, 'approval' satisfies WaitReason]);

export class AgentTest {
  readonly id: JobId = randomBytes(8).toString('hex');
  readonly done: Promise<void>;
  readonly #deps: AgentTestDeps;
  readonly #prompt: string;
  readonly #steps: AgentTestStep[] = [];
  readonly #beganAt = performance.now();
  readonly #ended = new AbortController();
  #state: AgentTestReport['state'] = 'running';
  #isSubmitted = false;
  #queuedAt = 0;
  #startedAt: number | undefined;
  #attempt = 1;
  #firstEventMs: number | null = null;
  #events = 0;
  #toolCalls = 0;
  #told = '';
  #job: JobDetail | undefined;

  constructor(deps: AgentTestDeps) {
    this.#deps = deps;
    this.#prompt = deps.prompt ?? (isCliAgent(deps.agent) ? QUESTION : LINE);
    this.done = this.#run();
  }

  report(after = 0): AgentTestReport {
    const { name, kind } = this.#deps.agent;
    return {
      test_id: this.id,
      agent: name,
      kind,
      prompt: this.#prompt,
      state: this.#state,
      ...(this.#isSubmitted && { job_id: this.id }),
      steps: this.#steps.slice(after),
      first_event_ms: this.#firstEventMs,
      events: this.#events,
      tool_calls: this.#toolCalls,
      ...(this.#job && { job: this.#job }),
    };
  }

  async #run(): Promise<void> {
    const { coordinator } = this.#deps.host;
    const unsubscribe = coordinator.events.subscribe((event) => this.#see(event));
    let isPassed = false;
    try {
      isPassed = (await this.#look()) && (await this.#work());
    } catch (error) {
      const fix = error instanceof AppError ? error.fix : 'See `sluice logs`.';
      this.#step('ended', error instanceof Error ? error.message : String(error), fix);
    } finally {
      unsubscribe();
    }
    this.#state = isPassed ? 'passed' : 'failed';
  }

  /** @returns false when it cannot be started at all. */
  async #look(): Promise<boolean> {
    const { host, agent } = this.#deps;
    try {
      const look = await host.lookAt(agent);
      if (!look) return true;
      this.#step('program', `${look.title} ${look.version}, ${look.file}`);
      const { state, detail } = look.login;
      if (state === 'logged_in') this.#step('login', `logged in: ${detail}`);
      else if (state === 'unknown') this.#step('login', `whether it is logged in is not known: ${detail}`);
      else this.#step('login', `not logged in: ${detail}`, look.loginFix);
      return true;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      this.#step('program', error.message, error.fix);
      return false;
    }
  }

  async #work(): Promise<boolean> {
    const { host, signal, describe } = this.#deps;
    const options = { id: this.id, priority: PRIORITY, force: true, depth: 0 };
    this.#isSubmitted = true;
    let job = await host.coordinator.submitStep(this.#task(), options);
    // Whoever asks wants to know whether it is let in by now; of those that wait for that it comes first.
    await host.coordinator.tryLogIn(this.#deps.agent.name);
    this.#queuedAt = performance.now();
    this.#step('queued', `job ${this.id.slice(0, 8)}`);
    for (;;) {
      if (job.endedAt !== undefined) break;
      const problem = signal.aborted ? { text: 'stopped' } : this.#stuck(job);
      if (problem) {
        this.#tellLast();
        if ('what' in problem) this.#step(problem.what, problem.text, problem.fix);
        await host.coordinator.cancel(this.id, 'its test is over').catch(() => {});
        job = await this.#awaitEnd();
        break;
      }
      await sleep(POLL_MS, undefined, { signal: AbortSignal.any([signal, this.#ended.signal]) }).catch(
        () => {},
      );
      job = (await host.ledger.jobs.get(this.id)) ?? job;
    }
    this.#job = await describe(job);
    const { state, reason, message, fix, proof } = job;
    if (state === 'succeeded') this.#step('ended', `succeeded, proved by ${proof.join(', ')}`);
    else if (!this.#steps.some((step) => step.is_problem && step.what !== 'login'))
      this.#step('ended', [state, reason && `(${reason})`, message].filter(Boolean).join(' '), fix ?? '');
    return state === 'succeeded';
  }

  /** A running attempt ends a moment after it was told to. */
  async #awaitEnd(): Promise<JobRecord> {
    const { jobs } = this.#deps.host.ledger;
    const until = performance.now() + 30_000;
    for (;;) {
      const job = (await jobs.get(this.id)) as JobRecord;
      if (job.endedAt !== undefined || performance.now() > until) return job;
      await sleep(POLL_MS);
    }
  }

  /** Why it will not go on by itself. */
  #stuck(
    job: JobRecord,
  ): { readonly what: AgentTestStep['what']; readonly text: string; readonly fix: string } | undefined {
    const { state, reason, message = '', fix = '' } = job;
    if (state === 'held') return { what: 'held', text: `${reason}: ${message}`, fix };
    if (state === 'queued') return this.#whileQueued();
    if (state !== 'waiting') return undefined;
    if (!passing.has(reason)) return this.#waits(job);
    if (this.#told !== reason) this.#step('waiting', `${reason}${message === '' ? '' : `: ${message}`}`);
    this.#told = reason ?? '';
    return undefined;
  }

  /** The test does not wait for it. */
  #waits(job: JobRecord): { readonly what: 'waiting'; readonly text: string; readonly fix: string } {
    const { reason, message = '', fix = '' } = job;
    const end = waitsUntil(job);
    const until = end === undefined ? '' : ` until ${new Date(end).toISOString()}`;
    const resume = `\`sluice agents resume ${this.#deps.agent.name}\` lets it be tried before that.`;
    return {
      what: 'waiting',
      text: `${reason}${until}: ${message}`,
      fix: fix.startsWith('It goes on by itself') ? resume : fix,
    };
  }

  /** A pause lasts until somebody ends it; a place, or the agent's rate, comes by itself. */
  #whileQueued(): { readonly what: 'waiting'; readonly text: string; readonly fix: string } | undefined {
    if (this.#deps.host.coordinator.isPaused)
      return { what: 'waiting', text: 'the daemon is paused', fix: '`sluice resume` lets it go on.' };
    if (this.#told === 'queued' || performance.now() - this.#queuedAt < QUEUED_MS) return undefined;
    this.#told = 'queued';
    this.#step('waiting', 'for its turn: `sluice status` shows which limit is used up');
    return undefined;
  }

  #task(): StepTask {
    const { name, timeoutMs } = this.#deps.agent;
    return {
      runId: AGENTS_TEST,
      workflow: AGENTS_TEST,
      step: name,
      work: { kind: 'agent', agents: [name], prompt: this.#prompt },
      expect: { outputs: [] },
      timeoutMs: Math.min(timeoutMs, LONGEST_MS),
      retry: { attempts: 1, initialMs: 1, maxMs: 1 },
      env: [],
      isShared: false,
    };
  }

  #see(event: CoordinatorEvent): void {
    if (!('job' in event) || event.job.id !== this.id) return;
    if (event.type === 'started') {
      this.#startedAt = performance.now();
      this.#attempt = event.attempt;
      this.#step('started', `attempt ${event.attempt}`);
    } else if (event.type === 'agent_event') {
      if (this.#events === 0 && this.#startedAt !== undefined)
        this.#firstEventMs = Math.round(performance.now() - this.#startedAt);
      this.#tell(event.event);
    } else if (event.type === 'ended') {
      this.#tellLast();
      this.#ended.abort();
    }
  }

  /** What it said last is not heard while it runs; its work folder is there until the listeners have been told. */
  #tellLast(): void {
    const { config } = this.#deps.host;
    const place = join(config().stateDir, 'work', this.id, String(this.#attempt));
    for (const event of eventsIn(join(place, 'events.jsonl')).slice(this.#events)) this.#tell(event);
  }

  #tell(event: AgentEvent): void {
    this.#events += 1;
    const { tool } = event.payload;
    if (typeof tool === 'string') this.#toolCalls += 1;
    if (this.#steps.length < MAX_STEPS) this.#step('event', eventWords(event));
  }

  /** @param fix Given: it is a problem. */
  #step(what: AgentTestStep['what'], text: string, fix?: string): void {
    this.#steps.push({
      n: this.#steps.length + 1,
      at_ms: Math.round(performance.now() - this.#beganAt),
      what,
      text,
      ...(fix !== undefined && { is_problem: true }),
      ...(fix !== undefined && fix !== '' && { fix }),
    });
  }
}

/** @returns the beginning of a long file. */
function eventsIn(file: string): readonly AgentEvent[] {
  try {
    const lines = readPlain(file, EVENT_BYTES).split('\n').slice(0, -1);
    const events = lines.map((line) => JSON.parse(line) as Partial<AgentEvent> | null);
    return events.filter(
      (event) => typeof event?.payload === 'object' && event.payload !== null,
    ) as AgentEvent[];
  } catch {
    // An agent has changed what we wrote: the receipt counts its events anyway.
    return [];
  }
}

function eventWords({ type, payload }: AgentEvent): string {
  const { text, tool, file } = payload;
  const words = [
    type,
    ...(typeof tool === 'string' ? [`[${tool}]`] : []),
    ...(typeof file === 'string' ? [file] : []),
    ...(typeof text === 'string' ? [text.trim()] : []),
  ];
  return words.join(' ').replaceAll(/\s+/g, ' ').slice(0, TEXT_CHARS);
}

/**
 * Reviews of jobs: when there is one, what its reviewers are shown, and how the job goes on after it. Work that has its
 * proof waits for its review; work that goes on is looked at beside it, and ended when the decision says so.
 */
import { dirname, join } from 'node:path';
import {
  type AgentConfig,
  type Config,
  isCliAgent,
  isOwnAgent,
  type ReviewsConfig,
  type ReviewTrigger,
} from '../config/config.ts';
import type { Coordinator } from '../coordinator/coordinator.ts';
import type { CoordinatorEvent } from '../coordinator/events.ts';
import { reviewsOf } from '../coordinator/reviewing.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { AgentCall, AgentEvent } from '../types/agent.ts';
import type { Conditions } from '../types/condition.ts';
import { messageOf } from '../types/errors.ts';
import { type JobId, type JobRecord, type Output, workWords } from '../types/job.ts';
import type { ReviewRecord } from '../types/review.ts';
import type { Changes } from '../workspace/workspaces.ts';
import { guidanceOf } from './guidance.ts';
import { createLiveReviews, type LiveReviews, type LiveTrigger } from './live.ts';
import type { Reviews } from './reviews.ts';
import { blockingFindings } from './rounds.ts';
import { type ChangeSource, readWork } from './work.ts';

export interface JobReviewsDeps {
  readonly config: () => Config;
  readonly ledger: Pick<Ledger, 'reviews' | 'jobs'>;
  readonly coordinator: Pick<
    Coordinator,
    'events' | 'settle' | 'proved' | 'interrupt' | 'recipes' | 'runningIds'
  >;
  readonly reviews: Reviews;
  /** What an agent changed in its copy of a tree. */
  readonly changesOf: (workspaceDir: string) => Promise<Changes>;
  /** The files that an attempt has left so far. */
  readonly outputsIn: (outputDir: string) => Promise<readonly Output[]>;
  /** Absolute: ours, never part of anybody's work. */
  readonly ownFolders: () => readonly string[];
  readonly conditions: Pick<Conditions, 'raise' | 'clear'>;
  readonly redact: (text: string) => string;
  readonly log: { info(data: object, message: string): void; warn(data: object, message: string): void };
  readonly now: () => number;
}

/** An attempt that runs and may be reviewed meanwhile. */
interface Watched {
  readonly job: JobRecord;
  readonly call: AgentCall;
  readonly config: ReviewsConfig;
  readonly live: LiveReviews;
  /** The latest of what it said: all that is there of a report yet. */
  readonly said: string[];
  timer?: NodeJS.Timeout;
}

const maxSaid = 100;
const minTickMs = 100;

export class JobReviews implements AsyncDisposable {
  readonly #deps: JobReviewsDeps;
  readonly #watched = new Map<JobId, Watched>();
  readonly #under = new Map<JobId, Promise<void>>();
  readonly #closing = new AbortController();
  readonly #unsubscribe: () => void;

  constructor(deps: JobReviewsDeps) {
    this.#deps = deps;
    this.#unsubscribe = deps.coordinator.events.subscribe((event) => this.#hear(event));
  }

  /** Takes up what waited for its review when an earlier process ended. Call once. */
  async start(): Promise<void> {
    const waiting = await this.#deps.ledger.jobs.list({ states: ['waiting'], limit: 1_000_000 });
    for (const job of waiting) if (job.reason === 'review') await this.#takeUp(job.id);
    for (const job of await this.#deps.ledger.jobs.list({ states: ['held'], limit: 10_000 }))
      if (job.reason === 'clarify' || job.reason === 'escalated') this.#ask(job);
  }

  /**
   * A person wants work reviewed that runs. @returns false when it does not run, or nobody reviews its like.
   * Nothing waits for it; what is decided is acted on.
   */
  request(id: JobId, who: string): boolean {
    const watched = this.#watched.get(id);
    if (!watched) return false;
    this.#begin(id, () => this.#reviewLive(watched, 'manual', `asked for by ${who}`));
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#unsubscribe();
    this.#closing.abort();
    for (const id of [...this.#watched.keys()]) this.#unwatch(id);
    await Promise.all(this.#under.values());
  }

  #hear(event: CoordinatorEvent): void {
    if (event.type === 'idle') return;
    const { job } = event;
    switch (event.type) {
      case 'started':
        this.#deps.conditions.clear('REVIEW_ASKS', job.id);
        if (event.call) this.#watch(job, event.call);
        return;
      case 'agent_event':
        return this.#heard(job.id, event.event);
      case 'review_wanted':
        this.#unwatch(job.id);
        return this.#begin(job.id, () => this.#reviewResult(job, event.call));
      case 'held':
        this.#unwatch(job.id);
        if (job.reason === 'clarify' || job.reason === 'escalated') this.#ask(job);
        return;
      case 'ended':
        this.#deps.conditions.clear('REVIEW_ASKS', job.id);
        return this.#unwatch(job.id);
      case 'waiting':
      case 'fell_back':
        return this.#unwatch(job.id);
      default:
        return;
    }
  }

  // ------------------------------------------------------------------ work that has its proof

  async #takeUp(id: JobId): Promise<void> {
    const found = await this.#deps.coordinator.proved(id);
    if (found) this.#begin(id, () => this.#reviewResult(found.job, found.call));
    // Its agent or rule is gone: it goes back to the queue, which moves it or ends it.
    else await this.#deps.ledger.jobs.wake({ reason: 'review' });
  }

  async #reviewResult(job: JobRecord, call: AgentCall): Promise<void> {
    const { ledger, coordinator } = this.#deps;
    const config = this.#configFor(job);
    // Reviews were switched off meanwhile: what has its proof counts.
    if (!config) return void (await coordinator.settle(job.id, { kind: 'accept' }));
    const known = await ledger.reviews.list({ sessionId: job.id, limit: 200 });
    const earlier = known.filter((one) => one.trigger === 'result' && one.endedAt !== undefined);
    // Newest first. One that was about this very attempt has not been acted on: the process ended in between.
    const [last] = earlier;
    const isKnown = last !== undefined && last.startedAt >= (job.attempts.at(-1)?.endedAt ?? Infinity);
    const round = isKnown ? last.round : earlier.length + 1;
    const record = await this.#conduct(job, call, config, 'result', round, []);
    if (record.isRevised) {
      const guidance = guidanceOf(blockingFindings(record.verdicts), round);
      await coordinator.settle(job.id, { kind: 'revise', guidance });
    } else await this.#settle(job, record);
  }

  async #settle(job: JobRecord, record: ReviewRecord): Promise<void> {
    const { coordinator, log } = this.#deps;
    const { decision = 'pause', why: said = decision } = record;
    if (decision === 'continue' || decision === 'warn') {
      if (decision === 'warn')
        log.warn({ job: job.id }, `${workWords(job)}: accepted with a warning: ${said}`);
      await coordinator.settle(job.id, { kind: 'accept' });
      return;
    }
    await coordinator.settle(job.id, {
      kind: 'hold',
      reason: decision === 'stop' ? 'escalated' : 'clarify',
      message: said,
      fix: `\`sluice answer ${job.id} TEXT\` has it done again with what you say, \`sluice jobs release ${job.id}\` accepts it as it is, \`sluice jobs cancel ${job.id}\` ends it.`,
    });
  }

  // ------------------------------------------------------------------ work that goes on

  #watch(job: JobRecord, call: AgentCall): void {
    const config = this.#configFor(job, call.agent);
    if (!config || (job.step === undefined && call.inputs.length > 1)) return;
    this.#unwatch(job.id);
    const live = createLiveReviews({ on: config.on, quietMs: config.quietMs }, this.#deps.now());
    this.#watched.set(job.id, { job, call, config, live, said: [] });
    this.#arm(job.id);
  }

  #unwatch(id: JobId): void {
    clearTimeout(this.#watched.get(id)?.timer);
    this.#watched.delete(id);
  }

  #heard(id: JobId, event: AgentEvent): void {
    const watched = this.#watched.get(id);
    if (!watched) return;
    const { text } = event.payload;
    if (typeof text === 'string' && text !== '') watched.said.push(`${event.type}: ${text}`);
    if (watched.said.length > maxSaid) watched.said.shift();
    this.#trigger(watched, watched.live.event(event, this.#deps.now()));
  }

  #trigger(watched: Watched, trigger: LiveTrigger | undefined): void {
    if (trigger) this.#begin(watched.job.id, () => this.#reviewLive(watched, trigger.trigger, trigger.text));
    else this.#arm(watched.job.id);
  }

  #arm(id: JobId): void {
    const watched = this.#watched.get(id);
    if (!watched) return;
    clearTimeout(watched.timer);
    const { nextAt } = watched.live;
    if (nextAt === undefined) return;
    const delayMs = Math.max(minTickMs, nextAt - this.#deps.now());
    watched.timer = setTimeout(
      () => this.#trigger(watched, watched.live.tick(this.#deps.now())),
      Math.min(delayMs, 0x7fffffff),
    ).unref();
  }

  async #reviewLive(watched: Watched, trigger: ReviewTrigger, text: string): Promise<void> {
    const { job, call, config } = watched;
    const { ledger, coordinator, log } = this.#deps;
    const known = await ledger.reviews.list({ sessionId: job.id, limit: 200 });
    const round = known.filter((one) => one.trigger === trigger && one.endedAt !== undefined).length + 1;
    try {
      const said = [...(text === '' ? [] : [`${trigger}: ${text}`]), ...watched.said];
      const record = await this.#conduct(job, call, config, trigger, round, said);
      const { decision = 'pause', why = '' } = record;
      if (decision === 'warn') log.warn({ job: job.id }, `${workWords(job)}: reviewed while it runs: ${why}`);
      const isEnded = decision === 'pause' || decision === 'stop';
      if (isEnded) coordinator.interrupt(job.id, decision, `its review (${trigger}) says: ${why}`);
    } finally {
      if (this.#watched.get(job.id) === watched) this.#trigger(watched, watched.live.ended(this.#deps.now()));
    }
  }

  // ------------------------------------------------------------------ both

  /** One review of a job at a time; what fails in it is told, and the job waits for a person. */
  #begin(id: JobId, review: () => Promise<void>): void {
    const before = this.#under.get(id) ?? Promise.resolve();
    const under = before.then(async () => {
      if (this.#closing.signal.aborted) return;
      try {
        await review();
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        const message = `its review could not be held: ${messageOf(error)}`;
        this.#deps.log.warn({ job: id }, message);
        const fix = `\`sluice jobs release ${id}\` accepts it as it is, \`sluice jobs cancel ${id}\` ends it.`;
        await this.#deps.coordinator
          .settle(id, { kind: 'hold', reason: 'clarify', message, fix })
          .catch(() => false);
      }
    });
    this.#under.set(id, under);
    void under.finally(() => {
      if (this.#under.get(id) === under) this.#under.delete(id);
    });
  }

  async #conduct(
    job: JobRecord,
    call: AgentCall,
    config: ReviewsConfig,
    trigger: ReviewTrigger,
    round: number,
    said: readonly string[],
  ): Promise<ReviewRecord> {
    const { signal } = this.#closing;
    const { redact, reviews } = this.#deps;
    const isOver = trigger === 'result';
    const work = await readWork(
      {
        title: `${workWords(job)} by ${job.agent}`,
        task: call.prompt ?? call.agent.description ?? '',
        ...(isOver && { resultFile: join(call.workDir, 'result.md') }),
        outputsDir: call.outputDir,
        outputs: await this.#deps.outputsIn(call.outputDir).catch(() => []),
        changes: await this.#changesOf(job, call),
      },
      signal,
    );
    return reviews.conduct(
      {
        subject: { kind: 'job', jobId: job.id },
        sessionId: job.id,
        author: job.agent,
        ...{ trigger, round, config },
        canRevise: isOver,
        work: said.length > 0 ? { ...work, report: redact(said.join('\n')) } : work,
        artifactsDir: join(dirname(call.workDir), 'reviews'),
        depth: job.depth + 1,
        priority: job.priority + 1,
      },
      signal,
    );
  }

  async #changesOf(job: JobRecord, call: AgentCall): Promise<ChangeSource> {
    const { config, ownFolders, changesOf } = this.#deps;
    if (call.workspaceDir !== undefined) {
      const root = config().roots.find(({ name }) => name === job.input.root);
      const before = root?.dir ?? config().projectDir;
      try {
        const { files } = await changesOf(call.workspaceDir);
        return { kind: 'copy', files, before, after: call.workspaceDir };
      } catch {
        return { kind: 'none' };
      }
    }
    if (!mayChangeTree(call.agent)) return { kind: 'none' };
    return { kind: 'in_place', dir: call.input.rootDir, exclude: ownFolders() };
  }

  #configFor(job: JobRecord, agent?: AgentConfig): ReviewsConfig | undefined {
    const { config, coordinator } = this.#deps;
    const route = coordinator.recipes.routeOf(job);
    if (route?.kind !== 'agent') return undefined;
    const author = agent ?? coordinator.recipes.agentOf(route, job.agent);
    return author && reviewsOf(config(), author, route.rule, job);
  }

  #ask(job: JobRecord): void {
    const { id, message = '', fix = '' } = job;
    this.#deps.conditions.raise({
      code: 'REVIEW_ASKS',
      subject: id,
      message: `${workWords(job)} (${job.agent}): ${message}`,
      fix,
    });
  }
}

/** Whether what it does can show in the tree itself. */
export function mayChangeTree(agent: AgentConfig): boolean {
  if (agent.kind !== 'command' && !isCliAgent(agent)) return false;
  // Steps' own commands say with each step what they write.
  if (isOwnAgent(agent.name)) return true;
  if (isCliAgent(agent) && agent.cli.permissions.ceiling === 'read') return false;
  return agent.sandbox.mode === 'off' || agent.sandbox.write.length > 0;
}

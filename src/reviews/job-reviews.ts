/**
 * Reviews of jobs: when there is one, and how the job goes on after it. Work that has its proof waits for its review; work
 * that goes on is looked at beside it, and ended when the decision says so.
 */
import { dirname, join } from 'node:path';
import PQueue from 'p-queue';
import type { AgentConfig, ReviewsConfig, ReviewTrigger } from '../config/config.ts';
import type { Coordinator } from '../coordinator/coordinator.ts';
import type { CoordinatorEvent } from '../coordinator/events.ts';
import { reviewsOf, type Settlement } from '../coordinator/reviewing.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { AgentCall } from '../types/agent.ts';
import type { Conditions } from '../types/condition.ts';
import { messageOf } from '../types/errors.ts';
import { type JobId, type JobRecord, workWords } from '../types/job.ts';
import { aboutJob, type ReviewRecord } from '../types/review.ts';
import { readText } from './bounded-file.ts';
import { guidanceOf, saidOf } from './guidance.ts';
import { type JobWorkDeps, readJobWork, resultFileOf } from './job-work.ts';
import type { LiveTrigger } from './live.ts';
import type { Reviews } from './reviews.ts';
import { blockingFindings } from './rounds.ts';
import { clean, cutChars } from './texts.ts';
import { WatchedAttempt } from './watched-attempt.ts';

export interface JobReviewsDeps extends JobWorkDeps {
  readonly ledger: Pick<Ledger, 'reviews' | 'jobs'>;
  readonly coordinator: Pick<
    Coordinator,
    'events' | 'settle' | 'proved' | 'found' | 'doAgain' | 'interrupt' | 'recipes'
  >;
  readonly reviews: Reviews;
  readonly conditions: Pick<Conditions, 'raise' | 'clear'>;
  readonly log: { warn(data: object, message: string): void };
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** How much of an agent's question is quoted in a message. */
const SHOWN_CHARS = 300;
/** How many of its latest texts an agent is told again when it goes on after it was stopped. */
const SAID_AGAIN = 10;
/** How much of its own answer an author is told again. */
const REPORT_BYTES = 64 * 1024;
/** Rounds of a job that are looked through, and open rounds of all that an earlier process left. */
const ROUNDS_LISTED = 1_000;
/** Jobs that an earlier process left waiting for their review, or for a person. */
const JOBS_LISTED = 100_000;
/** Reviews of finished work at once, mostly more than there are places for reviewers. Work that goes on does not wait here. */
const resultsAtOnce = 32;
export class JobReviews implements AsyncDisposable {
  readonly #deps: JobReviewsDeps;
  readonly #watched = new Map<JobId, WatchedAttempt>();
  /** Which of them somebody has asked to be reviewed, and is not yet. */
  readonly #byHand = new WeakSet<WatchedAttempt>();
  /** Jobs that are under review, or will be: what ends their reviews, and the last of them. */
  readonly #under = new Map<JobId, { readonly ended: AbortController; last: Promise<void> }>();
  readonly #results = new PQueue({ concurrency: resultsAtOnce });
  readonly #closing = new AbortController();
  readonly #unsubscribe: () => void;

  constructor(deps: JobReviewsDeps) {
    this.#deps = deps;
    this.#unsubscribe = deps.coordinator.events.subscribe((event) => this.#hear(event));
  }

  /** Takes up what waited for its review when an earlier process ended. Call once. */
  async start(): Promise<void> {
    const { jobs } = this.#deps.ledger;
    await this.#letGoOfOld();
    const waiting = await jobs.list({ states: ['waiting'], reason: 'review', limit: JOBS_LISTED });
    for (const job of waiting) await this.#takeUp(job.id);
    for (const reason of ['clarify', 'escalated'] as const)
      for (const job of await jobs.list({ states: ['held'], reason, limit: JOBS_LISTED })) this.#ask(job);
  }

  /**
   * A person wants work reviewed that runs. Nothing waits for it; what is decided is acted on.
   * @returns `none` when it does not run, or nobody reviews its like; `under_way`: one that was asked for before goes on.
   */
  request(id: JobId, who: string): 'begun' | 'under_way' | 'none' {
    const watched = this.#watched.get(id) ?? [...this.#watched.values()].find(({ others }) => others.has(id));
    if (!watched) return 'none';
    if (this.#byHand.has(watched)) return 'under_way';
    this.#byHand.add(watched);
    this.#begin(watched.job.id, (ended) =>
      this.#reviewLive(watched, 'manual', `asked for by ${who}`, ended).finally(() =>
        this.#byHand.delete(watched),
      ),
    );
    return 'begun';
  }

  /** What running work has asked for is not known yet: what it makes does not count before. */
  isUnderReview(id: JobId): boolean {
    return this.#watched.get(id)?.isUnderReview ?? false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#unsubscribe();
    this.#closing.abort();
    for (const id of [...this.#watched.keys()]) this.#unwatch(id);
    await Promise.all([...this.#under.values()].map(({ last }) => last));
  }

  #hear(event: CoordinatorEvent): void {
    if (event.type === 'idle') return;
    const { job } = event;
    switch (event.type) {
      case 'started':
        this.#deps.conditions.clear('REVIEW_ASKS', job.id);
        this.#abandon(job.id);
        if (event.call) this.#watch(job, event.call);
        if (event.with !== undefined) this.#watched.get(event.with)?.others.add(job.id);
        return;
      case 'agent_event':
        return this.#watched.get(job.id)?.hear(event.event);
      case 'review_wanted': {
        const isAsked = this.#watched.get(job.id)?.isAsking ?? false;
        this.#unwatch(job.id);
        return this.#begin(job.id, (ended) => this.#reviewResult(job, event.call, ended, isAsked));
      }
      case 'held':
        this.#unwatch(job.id);
        if (job.reason === 'clarify' || job.reason === 'escalated') this.#ask(job);
        return;
      case 'ended':
        this.#deps.conditions.clear('REVIEW_ASKS', job.id);
        this.#under.get(job.id)?.ended.abort();
        return this.#unwatch(job.id);
      case 'waiting':
        // `review_wanted` follows at once, and has to know what the attempt has asked for.
        return job.reason === 'review' ? undefined : this.#unwatch(job.id);
      case 'fell_back':
        return this.#unwatch(job.id);
      default:
        return;
    }
  }

  // ------------------------------------------------------------------ work that has its proof

  async #takeUp(id: JobId): Promise<void> {
    const found = await this.#deps.coordinator.proved(id);
    if (found) this.#begin(id, (ended) => this.#reviewResult(found.job, found.call, ended));
    // Its agent or rule is gone: it goes back to the queue, which moves it or ends it.
    else await this.#doAgain(id);
  }

  /** @param isAsked It has asked for a review itself that did not come about while it ran. */
  async #reviewResult(job: JobRecord, call: AgentCall, ended: AbortSignal, isAsked = false): Promise<void> {
    const config = this.#configFor(job);
    // Reviews were switched off meanwhile: what has its proof counts.
    if (!config) {
      await this.#letGo(job.id);
      return this.#act(job.id, call.attempt, { kind: 'accept' });
    }
    const decided = (await this.#roundsOf(job)).filter(({ decision }) => decision !== undefined);
    const isOfThis = ({ subject }: ReviewRecord): boolean =>
      subject.kind === 'job' && subject.attempt === call.attempt;
    if (!config.on.has('result') && !isAsked) {
      // Only what it asked for while it ran is reviewed: that decides.
      const live = decided.find(isOfThis);
      if (live) return this.#settle(job, call, live);
    }
    const earlier = decided.filter((one) => one.trigger === 'result');
    // One about this very attempt has not been acted on: the process ended in between.
    const round = earlier.find(isOfThis)?.round ?? earlier.length + 1;
    // One attempt can leave the work of many files at once; a round holds all that is shown of it until it ends.
    const record = await this.#results.add(() =>
      this.#conduct(job, call, config, { trigger: 'result', round }, ended),
    );
    if (!record.isRevised) return this.#settle(job, call, record);
    const guidance = guidanceOf(blockingFindings(record.verdicts), round, await answerOf(call));
    await this.#act(job.id, call.attempt, { kind: 'revise', guidance });
  }

  async #settle(job: JobRecord, call: AgentCall, record: ReviewRecord): Promise<void> {
    const { decision = 'pause', why: said = decision } = record;
    const { attempt } = call;
    if (decision === 'continue') return this.#act(job.id, attempt, { kind: 'accept' });
    if (decision === 'warn') {
      const warning = `accepted with a warning: ${said}`;
      this.#deps.log.warn({ job: job.id }, `${workWords(job)}: ${warning}`);
      return this.#act(job.id, attempt, { kind: 'accept', warning });
    }
    await this.#deps.coordinator.found(job.id, saidOf(record.verdicts, await answerOf(call)));
    await this.#act(job.id, attempt, {
      kind: 'hold',
      reason: decision === 'stop' ? 'escalated' : 'clarify',
      message: said,
      fix: `\`sluice answer ${job.id} TEXT\` has it done again with what you say, \`sluice jobs release ${job.id}\` accepts it as it is, \`sluice jobs cancel ${job.id}\` ends it.`,
    });
  }

  /** @param attempt Whose work was judged: what was done since is judged by itself. */
  async #act(id: JobId, attempt: number, settlement: Settlement): Promise<void> {
    const { coordinator } = this.#deps;
    const waiting = await coordinator.proved(id);
    if (waiting && waiting.call.attempt !== attempt) return;
    // Its agent or rule is not what it was when its work was done.
    if (!(await coordinator.settle(id, settlement))) await this.#doAgain(id);
  }

  async #doAgain(id: JobId): Promise<void> {
    await this.#letGo(id);
    await this.#deps.coordinator.doAgain(id);
  }

  // ------------------------------------------------------------------ work that goes on

  #watch(job: JobRecord, call: AgentCall): void {
    const config = this.#configFor(job, call.agent);
    if (!config) return;
    this.#unwatch(job.id);
    // A process that was killed may have left open what was said of an attempt before this one.
    this.#begin(job.id, () => this.#letGo(job.id));
    const review = (watched: WatchedAttempt, { trigger, text }: LiveTrigger): void =>
      this.#begin(job.id, (ended) => this.#reviewLive(watched, trigger, text, ended));
    this.#watched.set(job.id, new WatchedAttempt({ job, call, config, now: this.#deps.now, review }));
  }

  #unwatch(id: JobId): void {
    this.#watched.get(id)?.[Symbol.dispose]();
    this.#watched.delete(id);
  }

  async #reviewLive(
    watched: WatchedAttempt,
    trigger: ReviewTrigger,
    text: string,
    ended: AbortSignal,
  ): Promise<void> {
    const { job, call, config } = watched;
    const { coordinator, log } = this.#deps;
    watched.begins(trigger);
    try {
      const known = await this.#roundsOf(job);
      const round = known.filter((one) => one.trigger === trigger).length + 1;
      const said = [...(text === '' ? [] : [`${trigger}: ${text}`]), ...watched.said];
      const record = await this.#conduct(job, call, config, { trigger, round, said }, ended);
      const { decision = 'pause', why = '' } = record;
      if (decision === 'warn') log.warn({ job: job.id }, `${workWords(job)}: reviewed while it runs: ${why}`);
      if (decision !== 'pause' && decision !== 'stop') return;
      watched.stop();
      await coordinator.found(job.id, saidOf(record.verdicts, watched.said.slice(-SAID_AGAIN).join('\n')));
      coordinator.interrupt(
        job.id,
        decision,
        `${saidWords(trigger, text)}its review (${trigger}) says: ${why}`,
      );
    } finally {
      watched.ends();
    }
  }

  // ------------------------------------------------------------------ both

  /** One review of a job at a time; what fails in it is told, and the job waits for a person. */
  #begin(id: JobId, review: (ended: AbortSignal) => Promise<void>): void {
    const before = this.#under.get(id);
    const under = before ?? { ended: new AbortController(), last: Promise.resolve() };
    const { signal } = under.ended;
    const last = under.last.then(async () => {
      if (this.#closing.signal.aborted || signal.aborted) return;
      try {
        await review(signal);
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        if (signal.aborted) return this.#letGo(id).catch(() => {});
        const message = `its review could not be held: ${messageOf(error)}`;
        this.#deps.log.warn({ job: id }, message);
        const fix = `\`sluice jobs release ${id}\` accepts it as it is, \`sluice jobs cancel ${id}\` ends it.`;
        await this.#deps.coordinator
          .settle(id, { kind: 'hold', reason: 'clarify', message, fix })
          .catch(() => false);
      }
    });
    under.last = last;
    this.#under.set(id, under);
    void last.finally(() => {
      if (this.#under.get(id)?.last === last) this.#under.delete(id);
    });
  }

  /** It is worked on anew: what is said of the work before is for nobody, and must not be taken for what is said of the new. */
  #abandon(id: JobId): void {
    const under = this.#under.get(id);
    if (!under) return;
    under.ended.abort();
    this.#under.set(id, { ended: new AbortController(), last: under.last });
  }

  /** Nobody needs to hear any more what is said of its work. */
  async #letGo(id: JobId): Promise<void> {
    const job = await this.#deps.ledger.jobs.get(id);
    if (!job) return;
    await this.#deps.reviews.letGo(
      sessionOf(job),
      ({ subject }) => subject.kind === 'job' && subject.jobId === id,
    );
  }

  /** What was reviewed while it ran when an earlier process ended, and what is over since, is not looked at any more. */
  async #letGoOfOld(): Promise<void> {
    const { ledger, reviews } = this.#deps;
    for (const { id, sessionId, subject, trigger } of await ledger.reviews.list({
      open: true,
      limit: ROUNDS_LISTED,
    })) {
      if (subject.kind !== 'job') continue;
      const job = await ledger.jobs.get(subject.jobId);
      if (trigger === 'result' && job && job.endedAt === undefined) continue;
      await reviews.letGo(sessionId, (one) => one.id === id);
    }
  }

  /** Ended ones, newest first. */
  async #roundsOf({ id }: JobRecord): Promise<readonly ReviewRecord[]> {
    const all = await this.#deps.ledger.reviews.list({ about: aboutJob(id), limit: ROUNDS_LISTED });
    return all.filter(({ endedAt }) => endedAt !== undefined);
  }

  /** @param said By work that goes on; absent: it has its proof. */
  async #conduct(
    job: JobRecord,
    call: AgentCall,
    config: ReviewsConfig,
    { trigger, round, said }: { trigger: ReviewTrigger; round: number; said?: readonly string[] },
    ended: AbortSignal,
  ): Promise<ReviewRecord> {
    const signal = AbortSignal.any([this.#closing.signal, ended]);
    return this.#deps.reviews.conduct(
      {
        subject: {
          ...{ kind: 'job', jobId: job.id, attempt: call.attempt },
          ...(job.step && { step: job.step.step }),
        },
        sessionId: sessionOf(job),
        author: job.agent,
        ...{ trigger, round, config },
        canRevise: said === undefined,
        work: await readJobWork(this.#deps, job, call, said, signal),
        artifactsDir: join(dirname(call.workDir), 'reviews'),
        depth: job.depth + 1,
        priority: job.priority + 1,
      },
      signal,
    );
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

/** A person is asked what the agent has asked: its own words come first. */
function saidWords(trigger: ReviewTrigger, text: string): string {
  if (text === '' || trigger === 'manual' || trigger === 'quiet') return '';
  return `it says "${cutChars(clean(text).replace(/\s+/g, ' ').trim(), SHOWN_CHARS)}"; `;
}

async function answerOf(call: AgentCall): Promise<string> {
  const report = await readText(resultFileOf(call), REPORT_BYTES);
  return report.kind === 'text' ? report.text : '';
}

/** Reviews of a step belong to its run: what its reviewers cost is part of what the run costs. */
function sessionOf({ id, step }: JobRecord): string {
  return step?.runId ?? id;
}

/**
 * Reviews of jobs: when there is one, what its reviewers are shown, and how the job goes on after it. Work that has its
 * proof waits for its review; work that goes on is looked at beside it, and ended when the decision says so.
 */
import { dirname, join } from 'node:path';
import PQueue from 'p-queue';
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
import { reviewsOf, type Settlement } from '../coordinator/reviewing.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { AgentCall, AgentEvent } from '../types/agent.ts';
import type { Conditions } from '../types/condition.ts';
import { messageOf } from '../types/errors.ts';
import { type JobId, type JobRecord, type Output, workWords } from '../types/job.ts';
import { aboutJob, type ReviewRecord, type ReviewSubject } from '../types/review.ts';
import type { Changes } from '../workspace/workspaces.ts';
import { readText } from './bounded-file.ts';
import { guidanceOf, saidOf } from './guidance.ts';
import { createLiveReviews, type LiveReviews, type LiveTrigger } from './live.ts';
import type { Reviews } from './reviews.ts';
import { blockingFindings } from './rounds.ts';
import { clean, cutChars } from './texts.ts';
import { type ChangeSource, readWork } from './work.ts';

export interface JobReviewsDeps {
  readonly config: () => Config;
  readonly ledger: Pick<Ledger, 'reviews' | 'jobs'>;
  readonly coordinator: Pick<
    Coordinator,
    'events' | 'settle' | 'proved' | 'found' | 'doAgain' | 'interrupt' | 'recipes'
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
  /** Of several files the first: the review is of all that is there, and told with it. */
  readonly job: JobRecord;
  /** Its companions. */
  readonly others: Set<JobId>;
  readonly call: AgentCall;
  readonly config: ReviewsConfig;
  readonly live: LiveReviews;
  /** The latest of what it said: all that is there of a report yet. */
  readonly said: string[];
  /** What the review is about that goes on now. */
  under?: ReviewTrigger;
  /** It was to be ended by what was said of it; it may have ended by itself before that. */
  isStopped?: boolean;
  timer?: NodeJS.Timeout;
}

const maxSaid = 100;
/** Of what it said, in a message. */
const SHOWN_CHARS = 300;
/** Of that, what its agent is told of itself when it goes on. */
const SAID_AGAIN = 10;
/** Of the author's answer, which it is told again. */
const REPORT_BYTES = 64 * 1024;
/** Rounds of a job that are looked through, and open rounds of all that an earlier process left. */
const ROUNDS_LISTED = 1_000;
const minTickMs = 100;
/** More than there are places for reviewers, mostly. Work that goes on is looked at at once. */
const resultsAtOnce = 32;
/** Added to the task. */
const ofBatch =
  '\n\n(This file was worked on together with others. Judge what is about this file; what is said of others is judged with them.)';

export class JobReviews implements AsyncDisposable {
  readonly #deps: JobReviewsDeps;
  readonly #watched = new Map<JobId, Watched>();
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
    await this.#letGoOfOld();
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
    const watched = this.#watched.get(id) ?? [...this.#watched.values()].find(({ others }) => others.has(id));
    if (!watched) return false;
    this.#begin(watched.job.id, (ended) => this.#reviewLive(watched, 'manual', `asked for by ${who}`, ended));
    return true;
  }

  /**
   * Running work has asked for a review that has not come to its end, or not even begun. Its silence is over when it ends:
   * that needs nobody any more.
   */
  isUnderReview(id: JobId): boolean {
    const watched = this.#watched.get(id);
    if (!watched) return false;
    const { under, live, isStopped = false } = watched;
    return isStopped || (under !== undefined && under !== 'quiet') || live.pending !== undefined;
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
        return this.#heard(job.id, event.event);
      case 'review_wanted': {
        const isAsked = this.#watched.get(job.id)?.live.pending !== undefined;
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
        // It is told a moment later what is wanted of its review.
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
    else await this.#deps.coordinator.doAgain(id);
  }

  /** @param isAsked It has asked for a review itself that did not come about while it ran. */
  async #reviewResult(job: JobRecord, call: AgentCall, ended: AbortSignal, isAsked = false): Promise<void> {
    const config = this.#configFor(job);
    // Reviews were switched off meanwhile: what has its proof counts.
    if (!config) return this.#act(job.id, call.attempt, { kind: 'accept' });
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
      this.#conduct(job, call, config, 'result', round, [], ended),
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
    if (!(await coordinator.settle(id, settlement))) await coordinator.doAgain(id);
  }

  // ------------------------------------------------------------------ work that goes on

  #watch(job: JobRecord, call: AgentCall): void {
    const config = this.#configFor(job, call.agent);
    if (!config) return;
    this.#unwatch(job.id);
    const live = createLiveReviews({ on: config.on, quietMs: config.quietMs }, this.#deps.now());
    this.#watched.set(job.id, { job, others: new Set(), call, config, live, said: [] });
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
    if (!trigger) return this.#arm(watched.job.id);
    watched.under = trigger.trigger;
    this.#begin(watched.job.id, (ended) => this.#reviewLive(watched, trigger.trigger, trigger.text, ended));
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

  async #reviewLive(
    watched: Watched,
    trigger: ReviewTrigger,
    text: string,
    ended: AbortSignal,
  ): Promise<void> {
    const { job, call, config } = watched;
    const { coordinator, log } = this.#deps;
    watched.under = trigger;
    try {
      const known = await this.#roundsOf(job);
      const round = known.filter((one) => one.trigger === trigger).length + 1;
      const said = [...(text === '' ? [] : [`${trigger}: ${text}`]), ...watched.said];
      const record = await this.#conduct(job, call, config, trigger, round, said, ended);
      const { decision = 'pause', why = '' } = record;
      if (decision === 'warn') log.warn({ job: job.id }, `${workWords(job)}: reviewed while it runs: ${why}`);
      if (decision !== 'pause' && decision !== 'stop') return;
      watched.isStopped = true;
      await coordinator.found(job.id, saidOf(record.verdicts, watched.said.slice(-SAID_AGAIN).join('\n')));
      coordinator.interrupt(
        job.id,
        decision,
        `${saidWords(trigger, text)}its review (${trigger}) says: ${why}`,
      );
    } finally {
      delete watched.under;
      if (this.#watched.get(job.id) === watched) this.#trigger(watched, watched.live.ended(this.#deps.now()));
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
    if (job) await this.#deps.reviews.letGo(sessionOf(job), ({ subject }) => isAbout(subject, id));
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

  async #conduct(
    job: JobRecord,
    call: AgentCall,
    config: ReviewsConfig,
    trigger: ReviewTrigger,
    round: number,
    said: readonly string[],
    ended: AbortSignal,
  ): Promise<ReviewRecord> {
    const signal = AbortSignal.any([this.#closing.signal, ended]);
    const { redact, reviews } = this.#deps;
    const isOver = trigger === 'result';
    const work = await readWork(
      {
        title: `${workWords(job)}${othersOf(call)} by ${job.agent}`,
        task: `${call.prompt ?? call.agent.description ?? ''}${isOver && wasTogether(job) ? ofBatch : ''}`,
        ...(isOver && { resultFile: join(call.workDir, 'result.md') }),
        outputsDir: call.outputDir,
        outputs: await this.#deps.outputsIn(call.outputDir).catch(() => []),
        changes: await this.#changesOf(job, call),
      },
      signal,
    );
    return reviews.conduct(
      {
        subject: {
          ...{ kind: 'job', jobId: job.id, attempt: call.attempt },
          ...(job.step && { step: job.step.step }),
        },
        sessionId: sessionOf(job),
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

/** What its agent wants to know is what a person is asked. */
function saidWords(trigger: ReviewTrigger, text: string): string {
  if (text === '' || trigger === 'manual' || trigger === 'quiet') return '';
  return `it says "${cutChars(clean(text).replace(/\s+/g, ' ').trim(), SHOWN_CHARS)}"; `;
}

async function answerOf({ workDir }: AgentCall): Promise<string> {
  const report = await readText(join(workDir, 'result.md'), REPORT_BYTES);
  return report.kind === 'text' ? report.text : '';
}

/** What the steps of a run cost stands with the run, their reviewers included. */
function sessionOf({ id, step }: JobRecord): string {
  return step?.runId ?? id;
}

function othersOf({ inputs }: AgentCall): string {
  return inputs.length > 1 ? ` and ${inputs.length - 1} more` : '';
}

/** Also of what it was done again by itself: the task stays the same for its reviewers. */
function wasTogether({ attempts }: JobRecord): boolean {
  return attempts.some(({ batch }) => batch !== undefined);
}

function isAbout(subject: ReviewSubject, id: JobId): boolean {
  return subject.kind === 'job' && subject.jobId === id;
}

/** Whether what it does can show in the tree itself. */
export function mayChangeTree(agent: AgentConfig): boolean {
  if (agent.kind !== 'command' && !isCliAgent(agent)) return false;
  // Steps' own commands say with each step what they write.
  if (isOwnAgent(agent.name)) return true;
  if (isCliAgent(agent) && agent.cli.permissions.ceiling === 'read') return false;
  return agent.sandbox.mode === 'off' || agent.sandbox.write.length > 0;
}

/**
 * One round of a review, from the work to the decision. The ledger has the row, and in it who is asked, before anybody is
 * asked; ids of jobs are made from it. So a restart goes on with the jobs that are there, and asks nobody twice.
 */
import { hash } from 'node:crypto';
import { SyntaxThread } from '../agents/inspect/kinds/syntax-thread.ts';
import type { ReviewTrigger } from '../config/config.ts';
import { messageOf } from '../types/errors.ts';
import type { JobId } from '../types/job.ts';
import { aboutOf, type ReviewRecord, type ReviewVerdict } from '../types/review.ts';
import { hasArtifacts, writeArtifacts } from './artifacts.ts';
import { askReviewer, reviewerJobId } from './ask.ts';
import { CHECKS_AGENT, checkWork } from './checks.ts';
import { chooseReviewers, isReviewer } from './choose.ts';
import type { ReviewsDeps } from './deps.ts';
import type { ReadSyntax } from './file-faults.ts';
import { decide, type Judgement } from './policy.ts';
import { reviewPrompt } from './prompt.ts';
import type { ReviewRequest, Reviews, ReviewWork } from './reviews.ts';
import { blockingFindings, nextRound } from './rounds.ts';

export type { ReviewerJobs, ReviewsDeps } from './deps.ts';

/** Rounds about the same work that are looked through for the one before, and open rounds of a session that are let go. */
const ROUNDS_LISTED = 1_000;

export function createReviews(deps: ReviewsDeps): Reviews {
  const syntax = new SyntaxThread();
  const readSyntax: ReadSyntax = (text, grammar, signal) => syntax.read(text, grammar, signal);
  return {
    conduct: async (request, signal) => {
      signal.throwIfAborted();
      const work = redactWork(request.work, deps.redact);
      const round = new Round(deps, readSyntax, request, work);
      return round.conduct(signal);
    },
    letGo: async (sessionId, which) => {
      const open = await deps.ledger.reviews.list({ sessionId, open: true, limit: ROUNDS_LISTED });
      for (const review of open) if (which(review)) await letGo(deps, review);
    },
  };
}

async function letGo({ ledger, jobs, now }: ReviewsDeps, review: ReviewRecord): Promise<void> {
  const why = 'the work was over before anything was decided';
  // Before the row says that it is over: after a crash in between nobody would know any more who is still being paid.
  for (const { jobId } of review.verdicts) if (jobId !== undefined) await jobs.cancel(jobId, why);
  await ledger.reviews.put({ ...review, endedAt: now(), why });
}

class Round {
  readonly #deps: ReviewsDeps;
  readonly #readSyntax: ReadSyntax;
  readonly #request: ReviewRequest;
  readonly #work: ReviewWork;
  readonly #workSha256: string;

  constructor(deps: ReviewsDeps, readSyntax: ReadSyntax, request: ReviewRequest, work: ReviewWork) {
    this.#deps = deps;
    this.#readSyntax = readSyntax;
    this.#request = request;
    this.#work = work;
    this.#workSha256 = shaOfWork(work);
  }

  async conduct(signal: AbortSignal): Promise<ReviewRecord> {
    const { ledger } = this.#deps;
    const id = reviewId(this.#request);
    const known = await ledger.reviews.get(id);
    if (known?.endedAt !== undefined) {
      if (!hasArtifacts(this.#request.artifactsDir, known)) this.#writeArtifacts(known);
      return known;
    }
    const rounds = await this.#earlier();
    const previous = this.#previousOf(rounds);
    const record = known ?? this.#begin(id, rounds, previous);
    if (!known) await ledger.reviews.put(record);
    const verdicts = await this.#verdicts(record, previous, signal);
    const ended = this.#decided(record, verdicts, previous);
    // Before the row says that it is over: nobody asks again for a review of work that went on when the process was killed.
    this.#writeArtifacts(ended);
    await ledger.reviews.put(ended);
    return ended;
  }

  /** Rounds about the same work, of whatever trigger; newest first. */
  async #earlier(): Promise<readonly ReviewRecord[]> {
    const { subject, since = 0 } = this.#request;
    const all = await this.#deps.ledger.reviews.list({ about: aboutOf(subject), limit: ROUNDS_LISTED });
    return all.filter(({ startedAt }) => startedAt >= since);
  }

  /** The round before this one: of the same trigger, and of a `review` step its own. */
  #previousOf(rounds: readonly ReviewRecord[]): ReviewRecord | undefined {
    const line = lineOf(this.#request);
    return rounds.find((one) => one.round === this.#request.round - 1 && lineOf(one) === line);
  }

  #begin(id: string, rounds: readonly ReviewRecord[], previous: ReviewRecord | undefined): ReviewRecord {
    const { sessionId, subject, author, trigger, name, round, config } = this.#request;
    const common = { weight: 1, verdict: 'missing', findings: [], costUsd: null } as const;
    const chosen = chooseReviewers({
      agents: this.#deps.agents(),
      // An agent that worked on it in an earlier round would find what it has done itself, or answered.
      authors: new Set([author, ...rounds.map((one) => one.author)]),
      isAvailable: this.#deps.isAvailable,
      config,
    });
    const asked = chosen.map(
      ({ name: agent }): ReviewVerdict => ({
        ...common,
        agent,
        weight: Object.hasOwn(config.weights, agent) ? (config.weights[agent] as number) : 1,
        summary: 'It is asked.',
        jobId: reviewerJobId(id, agent),
      }),
    );
    const checks: ReviewVerdict = { ...common, agent: CHECKS_AGENT, summary: 'The checks are made.' };
    const kept = this.#kept(previous);
    return {
      ...{ id, sessionId, subject, author, trigger, round, startedAt: this.#deps.now() },
      ...(name !== undefined && { name }),
      workSha256: this.#workSha256,
      verdicts: kept ?? (asked.length > 0 ? asked : [checks]),
    };
  }

  /** Verdicts of the round before, which was about the very same work of the same author: asking again would only cost. */
  #kept(previous: ReviewRecord | undefined): readonly ReviewVerdict[] | undefined {
    const { canRevise, author } = this.#request;
    if (!canRevise || previous?.workSha256 !== this.#workSha256 || previous.author !== author)
      return undefined;
    if (previous.verdicts.some(({ verdict }) => verdict === 'missing')) return undefined;
    return previous.verdicts.map((verdict) => ({ ...verdict, costUsd: 0 }));
  }

  async #verdicts(
    record: ReviewRecord,
    previous: ReviewRecord | undefined,
    signal: AbortSignal,
  ): Promise<readonly ReviewVerdict[]> {
    const { round, lookFor, priority, depth } = this.#request;
    const { text: prompt } = reviewPrompt({
      work: this.#work,
      round,
      ...(lookFor !== undefined && { lookFor: this.#deps.redact(lookFor) }),
      ...(previous?.isRevised && { answered: blockingFindings(previous.verdicts) }),
    });
    const one = (asked: ReviewVerdict): ReviewVerdict | Promise<ReviewVerdict> => {
      if (asked.verdict !== 'missing') return asked;
      if (!hasJob(asked)) return checkWork(this.#work, this.#readSyntax, signal);
      return askReviewer(this.#deps, { record, asked, prompt, priority, depth }, signal);
    };
    // All of them are waited for: nobody is left asking when one of them fails for our own reasons.
    const settled = await Promise.allSettled(record.verdicts.map(async (asked) => one(asked)));
    return settled.map((outcome) => {
      if (outcome.status === 'rejected') throw outcome.reason;
      return outcome.value;
    });
  }

  #decided(
    record: ReviewRecord,
    verdicts: readonly ReviewVerdict[],
    previous: ReviewRecord | undefined,
  ): ReviewRecord {
    const { config, round, canRevise = false } = this.#request;
    const asked = verdicts.filter(hasJob).length;
    const unable = this.#unable(record, asked);
    const judged = decide(verdicts, config, round);
    const judgement = asked === 0 ? withoutAgents(judged, verdicts, record.trigger, `${unable}`) : judged;
    const next = nextRound({
      ...{ judgement, verdicts, round, canRevise },
      maxRounds: config.maxRounds,
      workSha256: record.workSha256,
      ...(previous && { previousSha256: previous.workSha256 }),
    });
    const isRevised = next.kind === 'revise';
    const follows = next.kind === 'revise' ? revisedWords(next.findings.length) : next.why;
    const fewer = asked > 0 && unable !== undefined ? [unable] : [];
    // Where something blocks the work: why its author does not mend it. Otherwise the verdicts explain the decision.
    const blocks = blockingFindings(verdicts).length > 0 || judgement.isUndecided;
    const isPlain =
      judgement.decision === 'continue' || (judgement.decision === 'warn' && !isRevised) || !blocks;
    const isSame = canRevise && previous?.workSha256 === record.workSha256;
    const stays = isSame && isPlain ? ['the work is unchanged since the last round'] : [];
    return {
      ...record,
      verdicts,
      endedAt: this.#deps.now(),
      decision: judgement.decision,
      why: [judgement.why, ...fewer, ...(isPlain ? stays : [follows])].join('; '),
      ...(isRevised && { isRevised }),
    };
  }

  /** That fewer were asked than are wanted, and who would have been; undefined: all were. */
  #unable({ author }: ReviewRecord, asked: number): string | undefined {
    const { config } = this.#request;
    if (asked >= config.reviewers) return undefined;
    const meant =
      config.agents.length > 0
        ? config.agents
        : this.#deps
            .agents()
            .filter(isReviewer)
            .map(({ name }) => name);
    const away = meant.filter((name) => name !== author && !this.#deps.isAvailable(name));
    const why =
      away.length === 0 ? '' : ` (${away.join(', ')} cannot work now, \`sluice agents list\` says why)`;
    return asked === 0
      ? `no agent could review it${why}`
      : `${asked} of ${config.reviewers} reviewers could be asked${why}`;
  }

  /** The ledger is the truth: a review is valid without its files, so that a failure to write them is only logged. */
  #writeArtifacts(record: ReviewRecord): void {
    const { artifactsDir } = this.#request;
    try {
      writeArtifacts(artifactsDir, record, this.#work, this.#deps.fileMode?.() ?? 0o644);
    } catch (error) {
      this.#deps.log.warn(
        { review: record.id, dir: artifactsDir, error: messageOf(error) },
        'the files of a review could not be written',
      );
    }
  }
}

/** Only checks of our own have looked: what they let pass counts, and whoever reads of it learns that nobody saw it. */
function withoutAgents(
  judged: Judgement,
  checks: readonly ReviewVerdict[],
  trigger: ReviewTrigger,
  nobody: string,
): Judgement {
  const { decision, why } = judged;
  const isFine = decision === 'continue';
  const isClean = checks.every(({ verdict }) => verdict === 'approved');
  const said = `${nobody}; ${isFine && isClean ? 'built-in checks found nothing' : why}`;
  // It cannot go on, and nobody knows better: so a person is asked.
  if (trigger === 'blocker' && (isFine || decision === 'warn'))
    return { decision: 'pause', why: said, isUndecided: true };
  return { ...judged, decision: isFine ? 'warn' : decision, why: said };
}

function hasJob(verdict: ReviewVerdict): verdict is ReviewVerdict & { readonly jobId: JobId } {
  return verdict.jobId !== undefined;
}

function revisedWords(findings: number): string {
  return `its author answers ${findings} blocking ${findings === 1 ? 'finding' : 'findings'}`;
}

/**
 * Told by whose work it is, not by what is shown of it: that can be another text after a restart, where somebody has changed
 * the tree meanwhile or some of the work stands in it already, and its reviewers would be asked, and paid, again.
 */
function reviewId(request: ReviewRequest): string {
  const { subject, round, since = null } = request;
  const doneBy = subject.kind === 'job' ? subject.attempt : subject.jobId;
  return hash('sha256', JSON.stringify([lineOf(request), round, since, doneBy]), 'hex').slice(0, 16);
}

/** What rounds have in common that are counted together: the work, the trigger, and the `review` step. */
function lineOf({ subject, trigger, name }: Pick<ReviewRecord, 'subject' | 'trigger' | 'name'>): string {
  return JSON.stringify([aboutOf(subject), trigger, name ?? null]);
}

function shaOfWork({ title, task, report, diff, outputs }: ReviewWork): string {
  const listed = outputs.map(({ path, bytes, text }) => [path, bytes, text ?? null]);
  return hash('sha256', JSON.stringify([title, task, report, diff, listed]), 'hex');
}

function redactWork(work: ReviewWork, redact: (text: string) => string): ReviewWork {
  return {
    title: redact(work.title),
    task: redact(work.task),
    report: redact(work.report),
    diff: redact(work.diff),
    outputs: work.outputs.map(({ path, bytes, text }) => ({
      path: redact(path),
      bytes,
      ...(text !== undefined && { text: redact(text) }),
    })),
  };
}

/**
 * The end of an attempt on several files. One that succeeded is divided into one result each. In one that failed, files of
 * which the agent said itself that they failed do so; the others are tried again in two halves (`on_failure: bisect`), so
 * that one poisoned file is found in log2(n) steps and sinks nobody, or share the failure (`fail`).
 */
import type { Lease } from '../ledger/ledger.ts';
import type { AgentCall, AgentResult } from '../types/agent.ts';
import type { Proof } from '../types/job.ts';
import type { AttemptDeps } from './attempt.ts';
import { halfOf, isHalf } from './batch-groups.ts';
import { divide, type FileResult, readFileResults } from './batch-results.ts';
import { mayFallBack } from './breaker.ts';
import { type Crew, leaderOf, toCall } from './call.ts';
import { endJob, type Failure, retryOrFail, spentOn, succeed, unmet, whatWasMade } from './endings.ts';
import type { Expectation } from './expect.ts';
import { promote } from './promotion.ts';
import type { Recipes } from './recipes.ts';
import { waitForReview } from './reviewing.ts';
import type { Verdict } from './verdict.ts';

/** Who is in it. */
interface Batch {
  /** All jobs of the attempt. */
  readonly whole: Crew;
  /** Those whose input is still what it was. */
  readonly left: Crew;
  /** What is made does not count before others have looked at it: each file for itself, so that none holds up the others. */
  readonly isReviewed: boolean;
}

/** The first job of the attempt is concluded last: its folder has what the others are made of, also after a crash. */
export async function concludeBatch(
  deps: AttemptDeps,
  recipes: Recipes,
  { whole, left, isReviewed }: Batch,
  call: AgentCall,
  result: AgentResult,
  verdict: Extract<Verdict, { kind: 'failed' | 'succeeded' }>,
): Promise<void> {
  const { results, strange } = readFileResults(call, call.inputs);
  const leaderLast = left.leases.toSorted(
    (a, b) => Number(a === leaderOf(whole)) - Number(b === leaderOf(whole)),
  );
  const made = await whatWasMade(deps, whole, call, result);
  const { outputs } = made;
  const expectation = await ofAll(deps, leaderLast.at(-1) as Lease, made.expectation);
  const said = leaderLast.filter(({ job }) => results.get(job.input.path)?.state === 'failed');
  const others = leaderLast.filter((lease) => !said.includes(lease));
  const failure = await failureOf(deps, recipes, left, call, { verdict, expectation, failed: said.length });
  await deps.batchSizes.ended(whole.rule, {
    files: whole.leases.length,
    succeeded: failure ? 0 : others.length,
    ...(failure && { reason: failure.reason }),
    isHalf: isHalf(leaderOf(whole).job),
  });
  divide({
    work: deps.work,
    leases: whole.leases,
    left: left.leases,
    resultFile: result.resultFile,
    outputs,
    results: redacted(deps, results),
  });
  if (strange > 0) deps.events.emit({ type: 'strange_results', job: leaderOf(whole).job, lines: strange });
  const isFirstSaid = said.includes(leaderOf(whole));
  const failSaid = async (): Promise<void> => {
    for (const lease of said) await failOne(deps, lease, call, result, results.get(lease.job.input.path));
  };
  if (!isFirstSaid) await failSaid();
  if (failure) await failOthers(deps, recipes, { ...left, leases: others }, call, result, failure);
  else {
    const proof = proofOf(verdict, expectation);
    // A copy of the tree is put in place as a whole: the configuration refuses that it be reviewed file by file.
    if (isReviewed && call.workspaceDir === undefined) await waitAll(deps, recipes, left, others, proof);
    else await succeedAll(deps, recipes, others, call, result, proof);
  }
  if (isFirstSaid) await failSaid();
}

/**
 * What is expected of all is asked once, before it is divided: after a crash in the middle it stands together no more.
 * @param last Of its jobs the one that is concluded last.
 */
async function ofAll(
  { notes, ledger }: Pick<AttemptDeps, 'notes' | 'ledger'>,
  { job, token }: Lease,
  expectation: Expectation,
): Promise<Expectation> {
  const note = notes.get(job.id);
  if (note.divided?.token === token) return { kind: 'met', proof: note.divided.proof };
  if (expectation.kind === 'met' && expectation.proof.length > 0) {
    await notes.put(job.id, { ...note, divided: { token, proof: expectation.proof } });
    await ledger.durable();
  }
  return expectation;
}

/** Why the attempt as a whole is no success; its changes to a copy of the tree are put in place here when it is. */
async function failureOf(
  deps: AttemptDeps,
  recipes: Recipes,
  left: Crew,
  call: AgentCall,
  how: {
    readonly verdict: Extract<Verdict, { kind: 'failed' | 'succeeded' }>;
    readonly expectation: Expectation;
    /** Files of which the agent said that they failed. */
    readonly failed: number;
  },
): Promise<Failure | undefined> {
  const { verdict, expectation, failed } = how;
  if (verdict.kind === 'failed') return verdict;
  if (expectation.kind === 'unmet') return unmet(expectation);
  if (call.workspaceDir !== undefined && failed > 0)
    return {
      kind: 'failed',
      reason: 'exit_code',
      message: `${left.agent.name} said that ${failed} of ${call.inputs.length} files failed; a copy of the tree is put in place as a whole, or not at all`,
      fix: 'Mend the files that failed, then run `sluice jobs retry`.',
      maxTries: Number.POSITIVE_INFINITY,
    };
  const promoted = await promote(deps, recipes, left, call);
  return promoted.kind === 'conflict' ? promoted.failure : undefined;
}

function proofOf(verdict: Verdict, expectation: Expectation): readonly Proof[] {
  return verdict.kind === 'succeeded' && expectation.kind === 'met'
    ? [...verdict.proof, ...expectation.proof]
    : [];
}

async function waitAll(
  deps: AttemptDeps,
  recipes: Recipes,
  crew: Crew,
  leases: readonly Lease[],
  proof: readonly Proof[],
): Promise<void> {
  for (const lease of leases) {
    const own = toCall(deps, recipes, { ...crew, leases: [lease] });
    await waitForReview(deps, lease, own, proof);
  }
}

async function succeedAll(
  deps: AttemptDeps,
  recipes: Recipes,
  leases: readonly Lease[],
  call: AgentCall,
  result: AgentResult,
  proof: readonly Proof[],
): Promise<void> {
  for (const lease of leases) {
    const place = deps.work.place(lease.job.id, lease.token);
    const own = await deps.results.collectOutputs(place.outputDir);
    const end = { proof, outputs: own, ...spentOn(lease, result, call) };
    await succeed(deps, recipes, lease, end, place.workDir, call);
  }
}

/** The agent itself said that this file failed: nobody else is in doubt because of it. */
async function failOne(
  deps: AttemptDeps,
  lease: Lease,
  call: AgentCall,
  result: AgentResult,
  own: FileResult | undefined,
): Promise<void> {
  const place = deps.work.place(lease.job.id, lease.token);
  const outputs = await deps.results.collectOutputs(place.outputDir);
  const end = {
    state: 'failed',
    reason: 'exit_code',
    message: own?.message ?? 'the agent says that this file failed',
    fix: 'Look at the output with `sluice jobs show`, then `sluice jobs retry`.',
    outputs,
    ...spentOn(lease, result, call),
  } as const;
  await endJob(deps, lease, end, place.workDir);
}

async function failOthers(
  deps: AttemptDeps,
  recipes: Recipes,
  left: Crew,
  call: AgentCall,
  result: AgentResult,
  failure: Failure,
): Promise<void> {
  const isBisected =
    left.rule.batch?.onFailure === 'bisect' && left.leases.length > 1 && isDivisible(failure, result);
  if (isBisected) return bisect(deps, left);
  for (const lease of left.leases) await retryOrFail(deps, recipes, left, lease, call, result, failure);
}

/** An agent that cannot be started or reached, or is not let in, fails smaller batches too; money that is spent is spent. */
function isDivisible({ reason }: Failure, { outcome }: AgentResult): boolean {
  if (reason === 'limit_exceeded')
    return (
      outcome.kind === 'output_exceeded' ||
      (outcome.kind === 'limit_exceeded' && isOfTheMachine(outcome.limit))
    );
  return mayFallBack(reason) && !isOfTheAgent.has(reason);
}

const isOfTheAgent: ReadonlySet<Failure['reason']> = new Set(['spawn_failed', 'http_error', 'auth']);

function isOfTheMachine(limit: string): boolean {
  return limit === 'memory' || limit === 'runtime';
}

/** Two groups of their own, each claimed alone from now on. */
async function bisect({ ledger }: Pick<AttemptDeps, 'ledger'>, { leases }: Crew): Promise<void> {
  const middle = Math.ceil(leases.length / 2);
  const [first] = leases as readonly [Lease, ...Lease[]];
  const groupOf = (index: number): string => halfOf(first, index < middle ? 'a' : 'b');
  // In one turn: no claim may see half a half.
  await Promise.all(leases.map((lease, index) => ledger.jobs.regroup(lease, groupOf(index))));
}

function redacted(
  { redact }: Pick<AttemptDeps, 'redact'>,
  results: ReadonlyMap<string, FileResult>,
): ReadonlyMap<string, FileResult> {
  return new Map(
    [...results].map(([path, { state, message, result, outputs }]) => [
      path,
      {
        state,
        ...(message !== undefined && { message: redact(message) }),
        ...(result !== undefined && { result: redact(result) }),
        ...(outputs && { outputs }),
      },
    ]),
  );
}

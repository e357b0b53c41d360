/** `sluice jobs retry`: what failed is run again, by the recipe in force now. */
import { join, resolve } from 'node:path';
import { stampOf } from '../cache/fingerprint.ts';
import { AppError } from '../types/errors.ts';
import type { JobId, JobRecord } from '../types/job.ts';
import { REVIEWS } from '../types/step-task.ts';
import type { Host } from './host.ts';
import { ownerOf } from './why.ts';

export interface RetryRequest {
  /** Job ids (or prefixes) and absolute paths. */
  readonly targets?: readonly string[];
  /** Every file whose latest job failed. */
  readonly failed?: boolean;
  /** With `failed`: only jobs that ended since. Epoch milliseconds. */
  readonly endedSince?: number;
  readonly force?: boolean;
  /** Of the jobs, when it is asked for from inside an attempt; and the job of that attempt. */
  readonly depth?: number;
  readonly parent?: JobId;
}

export interface Take {
  /** Jobs that were put in the queue (or answered from the cache). */
  readonly job_ids: readonly string[];
  /** What could not be run again, and why. */
  readonly skipped: readonly { readonly target: string; readonly reason: string }[];
}

type RetryHost = Pick<Host, 'config' | 'ledger' | 'coordinator'>;

export async function retry(host: RetryHost, request: RetryRequest): Promise<Take> {
  const files = new Map<string, { root: string; path: string }>();
  const add = (root: string, path: string): void => void files.set(`${root}/${path}`, { root, path });
  if (request.failed) {
    const endedSince = request.endedSince;
    const failed = await host.ledger.jobs.list({
      states: ['failed'],
      limit: 1_000_000,
      ...(endedSince !== undefined && { endedSince }),
    });
    for (const job of failed) if (await isLatest(host, job)) add(job.input.root, job.input.path);
  }
  for (const target of request.targets ?? []) {
    const { root, path } = await fileOf(host, target);
    add(root, path);
  }
  await tryLogIns(host, files.values());
  const jobIds: string[] = [];
  const skipped: { target: string; reason: string }[] = [];
  for (const [target, { root, path }] of files) {
    const dir = host.coordinator.recipes.root(root)?.dir;
    const stamp = dir === undefined ? undefined : stampOf(join(dir, path));
    if (!stamp) {
      skipped.push({
        target,
        reason: dir === undefined ? `root "${root}" is not watched any more` : 'the file is gone',
      });
      continue;
    }
    const taken = await host.coordinator.submit(
      { type: 'changed', root, path, stamp, found: 'event' },
      { again: true, force: request.force ?? false, ...nestingIn(request) },
    );
    if (taken.kind === 'job') jobIds.push(taken.job.id);
    else
      skipped.push({
        target,
        reason: taken.kind === 'settled' ? `it is ${taken.disposition} now` : 'the file is being written',
      });
  }
  return { job_ids: jobIds, skipped };
}

/** What failed because its agent was not let in is run again by somebody who thinks that it is by now. */
async function tryLogIns(
  { ledger, coordinator }: RetryHost,
  files: Iterable<{ readonly root: string; readonly path: string }>,
): Promise<void> {
  const agents = new Set<string>();
  for (const { root, path } of files) {
    const { jobId } = (await ledger.files.get(root, path)) ?? {};
    const job = jobId === undefined ? undefined : await ledger.jobs.get(jobId);
    if (job?.state === 'failed' && job.reason === 'auth') agents.add(job.agent);
  }
  for (const agent of agents) await coordinator.tryLogIn(agent);
}

function nestingIn({ depth, parent }: RetryRequest): Pick<RetryRequest, 'depth' | 'parent'> {
  return { ...(depth !== undefined && { depth }), ...(parent !== undefined && { parent }) };
}

async function isLatest({ ledger }: RetryHost, { id, input }: JobRecord): Promise<boolean> {
  const file = await ledger.files.get(input.root, input.path);
  return file !== undefined && !file.gone && file.jobId === id;
}

function fileOfJob({ id, input, step }: JobRecord): { root: string; path: string } {
  if (!step) return input;
  if (step.workflow === REVIEWS)
    throw new AppError('NOT_POSSIBLE', `Job ${id} is what a reviewer was asked`, {
      fix: 'A review that is over asks nobody again; `sluice answer` has the work done, and reviewed, again.',
    });
  throw new AppError('NOT_POSSIBLE', `Job ${id} is step "${step.step}" of run ${step.runId}`, {
    fix: `Run again what failed of it: \`sluice workflow resume ${step.runId}\`.`,
  });
}

async function fileOf(host: RetryHost, target: string): Promise<{ root: string; path: string }> {
  if (/^[0-9a-f]{4,16}$/.test(target)) {
    const found = await host.ledger.jobs.find(target);
    if (found.length === 1) return fileOfJob(found[0] as JobRecord);
    if (found.length > 1)
      throw new AppError('USAGE', `"${target}" fits ${found.length} jobs`, { fix: 'Give more of the id.' });
  }
  const { root, path } = ownerOf(host.config().roots, resolve(target));
  return { root: root.name, path };
}

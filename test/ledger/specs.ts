/** Jobs, files and attempts as the coordinator hands them to the ledger, with only what a test cares about spelled out. */
import type { FileRecord, JobSpec, Lease, Ledger } from '../../src/ledger/ledger.ts';
import type { AttemptRecord } from '../../src/types/job.ts';

export type SpecFacts = Partial<Omit<JobSpec, 'input'>> & { readonly id: string; readonly path?: string };

export function spec({ id, path = `${id}.txt`, ...facts }: SpecFacts): JobSpec {
  const input = { root: 'inbox', path, sha256: `sha-${id}`, bytes: 3, stamp: `1-3-${id}` };
  return { id, input, rule: 'all', agent: 'a', key: '', priority: 0, depth: 0, ...facts };
}

export function file(path: string, facts: Partial<FileRecord> = {}): Omit<FileRecord, 'firstSeenAt'> {
  return { root: 'inbox', path, stamp: '1-3-5', bytes: 3, seenAt: 1_000, gone: false, ...facts };
}

export function attempt(n: number, facts: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    n,
    agent: 'a',
    startedAt: 1_000,
    endedAt: 1_250,
    outcome: 'exited',
    exitCode: 0,
    sandbox: { mode: 'auto', backend: 'none' },
    limits: { timeout: '10m' },
    events: 0,
    ...facts,
  };
}

export interface ClaimFacts {
  readonly max?: number;
  readonly limit?: number;
  readonly agents?: readonly string[];
  readonly worker?: string;
  readonly query?: Partial<Parameters<Ledger['jobs']['claim']>[0]>;
}

/** Claims as worker `w` with the same limit for each agent that is named. */
export function claim(
  ledger: Ledger,
  { max = 100, limit = 100, agents = ['a'], worker = 'w', query = {} }: ClaimFacts = {},
): Promise<readonly Lease[]> {
  const limits = new Map(agents.map((agent) => [agent, limit]));
  return ledger.jobs.claim({ max, limits, worker, leaseMs: 30_000, ...query });
}

export async function claimOne(ledger: Ledger): Promise<Lease> {
  const [lease] = await claim(ledger, { max: 1 });
  if (!lease) throw new Error('nothing to claim');
  return lease;
}

export const ids = (list: readonly (Lease | { id: string })[]): string[] =>
  list.map((item) => ('job' in item ? item.job.id : item.id));

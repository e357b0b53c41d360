/** Earlier results by key: an LRU in front of the ledger. A result that is gone from disk or too old is no result. */
import { LRUCache } from 'lru-cache';
import type { ResultLedger } from '../ledger/ledger.ts';
import type { JobId } from '../types/job.ts';

const ENTRIES = 10_000;

export interface Cache {
  /** The job whose result can be used again. */
  get(key: string): Promise<JobId | undefined>;
  put(key: string, jobId: JobId): Promise<void>;
}

export interface CacheOptions {
  readonly results: ResultLedger;
  /** Milliseconds after which a result is no longer used; asked each time, since a reload may change it. */
  readonly ttlMs: () => number;
  readonly now: () => number;
  /** Whether the job's result stands on disk, whole. */
  readonly exists: (jobId: JobId) => Promise<boolean>;
}

export function createCache({ results, ttlMs, now, exists }: CacheOptions): Cache {
  const recent = new LRUCache<string, { jobId: JobId; createdAt: number }>({ max: ENTRIES });
  return {
    async get(key) {
      if (key === '') return undefined;
      const found = recent.get(key) ?? (await results.get(key));
      if (!found) return undefined;
      if (now() - found.createdAt > ttlMs() || !(await exists(found.jobId))) {
        recent.delete(key);
        await results.forget(key);
        return undefined;
      }
      recent.set(key, found);
      return found.jobId;
    },
    async put(key, jobId) {
      if (key === '') return;
      recent.set(key, { jobId, createdAt: now() });
      await results.put(key, jobId);
    },
  };
}

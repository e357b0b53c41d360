/** How many files a batch of each rule has at most: as configured, or as large as the agent has proved to manage. */
import type { RuleConfig } from '../config/config.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type BatchEnd, nextBatchSize, parseBatchSize } from './batch-size.ts';

const KIND = 'batch_size';

export class BatchSizes {
  readonly #kept: Pick<Ledger['kept'], 'list' | 'put'>;
  readonly #sizes = new Map<string, number>();

  constructor(kept: Pick<Ledger['kept'], 'list' | 'put'>) {
    this.#kept = kept;
  }

  /** Reads what an earlier process learned. */
  async load(): Promise<void> {
    for (const { name, value } of await this.#kept.list(KIND)) this.#sizes.set(name, parseBatchSize(value));
  }

  /** Files; `Infinity` where a folder is one unit. */
  of({ name, batch }: Pick<RuleConfig, 'name' | 'batch'>): number {
    if (!batch) return 1;
    if (batch.by === 'folder') return Number.POSITIVE_INFINITY;
    return batch.maxFiles === 'auto' ? (this.#sizes.get(name) ?? parseBatchSize(undefined)) : batch.maxFiles;
  }

  async ended({ name, batch }: Pick<RuleConfig, 'name' | 'batch'>, end: BatchEnd): Promise<void> {
    if (batch?.maxFiles !== 'auto') return;
    const size = this.#sizes.get(name) ?? parseBatchSize(undefined);
    const next = nextBatchSize(size, end);
    if (next === size) return;
    this.#sizes.set(name, next);
    await this.#kept.put(KIND, name, next);
  }
}

/**
 * Totals that grow with each job: added up in memory and written once for each commit, in the transaction of the jobs
 * they count. An upsert for each job cost a tenth of its life.
 */
import type { Database } from './database.ts';

interface Sum {
  readonly keys: readonly string[];
  readonly amounts: number[];
}

export class Sums {
  readonly #write: Database['write'];
  /** By the statement that writes them, then by their keys. */
  readonly #sums = new Map<string, Map<string, Sum>>();

  constructor(write: Database['write']) {
    this.#write = write;
  }

  /** @param upsert Takes keys, then amounts. To be called together with the write of what is counted. */
  add(upsert: string, keys: readonly string[], amounts: readonly number[]): void {
    const ofStatement = this.#sums.get(upsert) ?? new Map<string, Sum>();
    this.#sums.set(upsert, ofStatement);
    const name = keys.join('\0');
    const sum = ofStatement.get(name);
    if (!sum) ofStatement.set(name, { keys, amounts: [...amounts] });
    else for (const [i, amount] of amounts.entries()) sum.amounts[i] = (sum.amounts[i] ?? 0) + amount;
  }

  /** Call before totals are read, and before the commit. */
  flush(): void {
    for (const [upsert, sums] of this.#sums)
      for (const [name, { keys, amounts }] of sums) {
        this.#write(upsert, ...keys, ...amounts);
        sums.delete(name);
      }
  }
}

/**
 * Roots that were never watched before. With `initial: ignore`, what their first sweep finds was there before anybody
 * watched: it is recorded and left alone. What lands meanwhile is told by events, and is processed.
 */
import type { Config } from '../config/config.ts';
import type { FileLedger } from '../ledger/ledger.ts';
import type { Change } from '../types/change.ts';

export class NewRoots {
  readonly #files: Pick<FileLedger, 'isNewRoot' | 'markRoot'>;
  readonly #ignored = new Set<string>();
  #unmarked: readonly string[] = [];

  constructor(files: Pick<FileLedger, 'isNewRoot' | 'markRoot'>) {
    this.#files = files;
  }

  /** Call before the roots of a configuration are watched. */
  async lookAt(roots: Config['roots']): Promise<void> {
    const unmarked: string[] = [];
    for (const { name, initial } of roots) {
      if (!(await this.#files.isNewRoot(name))) continue;
      unmarked.push(name);
      if (initial === 'ignore') this.#ignored.add(name);
    }
    this.#unmarked = unmarked;
  }

  /** Call when their first sweep has ended: a restart takes up from there. */
  async mark(): Promise<void> {
    for (const root of this.#unmarked) await this.#files.markRoot(root);
    this.#unmarked = [];
  }

  /** The root was never watched before, and its first sweep has not ended. */
  isNew(root: string): boolean {
    return this.#unmarked.includes(root);
  }

  ignores(change: Change): boolean {
    return change.type !== 'removed' && change.found === 'first_sweep' && this.#ignored.has(change.root);
  }
}

/** What of a run failed, as its record says it: the first failure in the order of the file, and warnings. Bounded. */
import type { StepRecord } from '../types/run.ts';

const WARNINGS_AT_MOST = 100;

export class Failures {
  #first: { readonly index: number; readonly row: StepRecord } | undefined;
  #count = 0;
  #warnings: string[] = [];
  #unnamed = 0;

  see(row: StepRecord, index: number, isForgiven: boolean): void {
    if (row.reason === 'review_warning') return this.warn(`step "${row.name}": ${row.message ?? ''}`);
    if (row.state !== 'failed' && row.state !== 'cancelled') return;
    if (isForgiven) return this.warn(`step "${row.name}" ${what(row)}`);
    this.#count += 1;
    if (!this.#first || index < this.#first.index) this.#first = { index, row };
  }

  warn(warning: string): void {
    if (this.#warnings.length < WARNINGS_AT_MOST) this.#warnings.push(warning);
    else this.#unnamed += 1;
  }

  get warnings(): readonly string[] {
    return this.#unnamed === 0 ? this.#warnings : [...this.#warnings, `and ${this.#unnamed} more`];
  }

  get first(): { readonly message: string; readonly fix?: string } | undefined {
    if (!this.#first) return undefined;
    const { row } = this.#first;
    const more = this.#count > 1 ? ` (and ${this.#count - 1} more)` : '';
    return {
      message: `step "${row.name}" ${what(row)}${more}`,
      ...(row.fix !== undefined && { fix: row.fix }),
    };
  }
}

function what({ state, message, reason }: StepRecord): string {
  const verb = state === 'cancelled' ? 'was cancelled' : 'failed';
  const why = message ?? reason;
  return why === undefined ? verb : `${verb}: ${why}`;
}

/**
 * Finds an agent that is stuck: it calls the same tool with the same arguments again and again, and pays each time. Counting
 * turns without a changed file was left out: an agent that reads and thinks for an hour is not stuck.
 */
import type { AgentEvent, AttemptOutcome } from '../../types/agent.ts';

export class Repeats {
  readonly #max: number;
  #last = '';
  #times = 0;

  /** @param max So many equal calls in a row are too many; `Infinity`: never. */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Events without a `tool` lie between calls and do not matter. A call whose arguments are not told may be any, so it ends
   * a row: a tool without arguments says `"args": {}`.
   */
  add({ payload }: AgentEvent): Extract<AttemptOutcome, { kind: 'stuck' }> | undefined {
    const { tool, args, input } = payload;
    if (typeof tool !== 'string') return undefined;
    const given = args ?? input;
    const key = given === undefined ? '' : JSON.stringify([tool, given]);
    this.#times = key === this.#last ? this.#times + 1 : 1;
    this.#last = key;
    return key !== '' && this.#times >= this.#max ? { kind: 'stuck', tool, times: this.#times } : undefined;
  }

  restart(): void {
    this.#last = '';
    this.#times = 0;
  }
}

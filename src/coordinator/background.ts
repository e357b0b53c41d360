/** What fails in the background (the ledger's disk answers with errors) is a condition; the patrol tries again. */
import type { Conditions } from '../types/condition.ts';
import type { ErrorCode } from '../types/error-codes.ts';
import { AppError, messageOf } from '../types/errors.ts';

const SUBJECT = 'coordinator';

export class Background {
  readonly #conditions: Pick<Conditions, 'raise' | 'clear'>;
  readonly #problems: ErrorCode[] = [];

  constructor(conditions: Pick<Conditions, 'raise' | 'clear'>) {
    this.#conditions = conditions;
  }

  /** Never rejects. */
  async run(task: Promise<unknown>): Promise<void> {
    try {
      await task;
      for (const code of this.#problems.splice(0)) this.#conditions.clear(code, SUBJECT);
    } catch (error) {
      const { code, fix } =
        error instanceof AppError
          ? error
          : { code: 'INTERNAL' as const, fix: 'Please report it with the log.' };
      this.#problems.push(code);
      this.#conditions.raise({ code, subject: SUBJECT, message: messageOf(error), fix });
    }
  }
}

/**
 * What has to be remembered of a job between its attempts, besides the attempts themselves: what the next one must heed,
 * and that its work is there and waits for a review. Kept in the ledger; only jobs that have such a note cost anything.
 */
import type { Ledger } from '../ledger/ledger.ts';
import type { JobId, Proof } from '../types/job.ts';

export interface JobNote {
  /** For its next attempt: findings of a review, a person's answer, what was wrong with the last answer. */
  readonly guidance?: string;
  /** The attempt whose work has its proof and waits to be accepted. */
  readonly proved?: {
    /** Whose work it is. */
    readonly attempt: number;
    /** Of the lease under which it came to wait. */
    readonly token: number;
    readonly proof: readonly Proof[];
    /** A person has; nobody could act on it yet. */
    readonly isAccepted?: boolean;
  };
}

const NOTE = 'job_note';
/** More than a prompt should carry. */
const maxGuidanceChars = 32_000;

export class JobNotes {
  readonly #ledger: Pick<Ledger, 'kept' | 'jobs'>;
  readonly #notes = new Map<JobId, JobNote>();

  constructor(ledger: Pick<Ledger, 'kept' | 'jobs'>) {
    this.#ledger = ledger;
  }

  /** Those of jobs that have ended meanwhile go. */
  async load(): Promise<void> {
    for (const { name, value } of await this.#ledger.kept.list(NOTE)) {
      const job = await this.#ledger.jobs.get(name);
      if (!job || job.endedAt !== undefined) await this.#ledger.kept.forget(NOTE, name);
      else this.#notes.set(name, value as JobNote);
    }
  }

  get(id: JobId): JobNote {
    return this.#notes.get(id) ?? {};
  }

  async put(id: JobId, note: JobNote): Promise<void> {
    const { guidance } = note;
    const kept = guidance === undefined ? note : { ...note, guidance: guidance.slice(0, maxGuidanceChars) };
    this.#notes.set(id, kept);
    await this.#ledger.kept.put(NOTE, id, kept);
  }

  /** What a person says to its next attempt. */
  async answer(id: JobId, text: string): Promise<void> {
    await this.put(id, { guidance: `A person says: ${text}` });
  }

  /** A person accepts its work, while nobody is there who could act on it. */
  async accept(id: JobId): Promise<void> {
    const note = (await this.#ledger.kept.get(NOTE, id)) as JobNote | undefined;
    if (note?.proved) await this.put(id, { ...note, proved: { ...note.proved, isAccepted: true } });
  }

  async forget(id: JobId): Promise<void> {
    if (this.#notes.delete(id)) await this.#ledger.kept.forget(NOTE, id);
  }
}

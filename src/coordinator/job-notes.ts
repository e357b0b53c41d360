/**
 * What has to be remembered of a job between its attempts, besides the attempts themselves: what the next one must heed,
 * and that its work is there and waits for a review. Kept in the ledger; only jobs that have such a note cost anything.
 */
import type { Ledger } from '../ledger/ledger.ts';
import type { JobId, Proof } from '../types/job.ts';

export interface JobNote {
  /** For its next attempt: findings of a review, a person's answer, what was wrong with the last answer. */
  readonly guidance?: string;
  /** What its reviewers said, and a person decides about: told with the answer, which may speak of it. */
  readonly findings?: string;
  /** The attempt whose work has its proof and waits to be accepted. */
  readonly proved?: {
    /** Whose work it is. */
    readonly attempt: number;
    /** Of the lease under which it came to wait. */
    readonly token: number;
    readonly proof: readonly Proof[];
    /** It was done on a copy, whatever its agent works on by now. */
    readonly isOnCopy?: true;
    /** A person has; nobody could act on it yet. What the receipt is to say of that. */
    readonly accepted?: string;
  };
  /** Of a batch, with the one of its jobs that is concluded last: it had what is expected of all when it was divided. */
  readonly divided?: { readonly token: number; readonly proof: readonly Proof[] };
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
    const { guidance, findings } = note;
    const kept: JobNote = {
      ...note,
      ...(guidance !== undefined && { guidance: guidance.slice(0, maxGuidanceChars) }),
      ...(findings !== undefined && { findings: findings.slice(0, maxGuidanceChars) }),
    };
    this.#notes.set(id, kept);
    await this.#ledger.kept.put(NOTE, id, kept);
  }

  /** Its reviewers have said this of its work. */
  async found(id: JobId, findings: string): Promise<void> {
    await this.put(id, { ...this.get(id), findings });
  }

  /** What a person says to the next attempt of these, and what they say it of: that is kept with one of them. */
  async answer(ids: readonly JobId[], text: string): Promise<void> {
    const notes = await Promise.all(ids.map((id) => this.#kept(id)));
    const findings = notes.find((note) => note?.findings !== undefined)?.findings;
    const said = `A person says: ${text}`;
    const guidance = findings === undefined ? said : `${said}\n\n${findings}`;
    for (const id of ids) await this.put(id, { guidance });
  }

  /** A person accepts its work, while nobody is there who could act on it. @param words For the receipt. */
  async accept(id: JobId, words: string): Promise<void> {
    const note = await this.#kept(id);
    if (note?.proved) await this.put(id, { ...note, proved: { ...note.proved, accepted: words } });
  }

  /** Also where `load` was not called. */
  async #kept(id: JobId): Promise<JobNote | undefined> {
    return this.#notes.get(id) ?? ((await this.#ledger.kept.get(NOTE, id)) as JobNote | undefined);
  }

  async forget(id: JobId): Promise<void> {
    if (this.#notes.delete(id)) await this.#ledger.kept.forget(NOTE, id);
  }
}

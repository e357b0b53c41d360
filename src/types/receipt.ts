/** `receipt.json` (schema 1): the record of what happened to one input, written next to its result. */
import type {
  FailureReason,
  Fallback,
  HoldReason,
  JobStateName,
  Output,
  PromotedFile,
  Proof,
  SandboxReport,
  Usage,
  WaitReason,
} from './job.ts';

export interface Receipt {
  readonly schema: 1;
  readonly job_id: string;
  readonly input: {
    readonly root: string;
    readonly path: string;
    readonly sha256: string;
    readonly bytes: number;
  };
  /** Of a step of a run: which. Its `input` has no root, and the place of its result as path. */
  readonly run?: { readonly run_id: string; readonly workflow: string; readonly step: string };
  readonly rule: string;
  readonly agent: string;
  readonly state: JobStateName;
  readonly reason?: FailureReason | WaitReason | HoldReason;
  readonly message?: string;
  readonly fix?: string;
  /** Of one that waits: until then, where that is known. RFC 3339, UTC. */
  readonly waits_until?: string;
  readonly proof: readonly Proof[];
  readonly depth: number;
  readonly parent?: string;
  /** RFC 3339, UTC. */
  readonly queued_at: string;
  readonly started_at?: string;
  readonly ended_at?: string;
  readonly duration_ms?: number;
  readonly attempts: readonly ReceiptAttempt[];
  readonly usage?: Usage;
  readonly cost_usd: number | null;
  /** Size of the `result.md` beside the receipt when it was put there; absent: there was none. */
  readonly result_bytes?: number;
  readonly outputs: readonly Output[];
  readonly cached_from?: string;
  /** Agents that had the job before, in order; absent: none. */
  readonly fallbacks?: readonly Fallback[];
  /** What was changed in the tree (`workspace: copy`); `sluice undo` puts it back. Absent: nothing. */
  readonly promoted?: readonly PromotedFile[];
  /** Content × recipe: lets a lost ledger be rebuilt with its cache. */
  readonly key?: string;
  /** Rounds of review of the work, oldest first; `reviews/` beside the receipt tells of them at length. Absent: none. */
  readonly reviews?: readonly ReceiptReview[];
}

export interface ReceiptReview {
  readonly round: number;
  readonly trigger: string;
  /** Absent: nobody came to one, because the work was over before. */
  readonly decision?: string;
  readonly why?: string;
  /** Its findings went back to the author. */
  readonly is_revised?: true;
  readonly verdicts: readonly {
    readonly agent: string;
    readonly verdict: string;
    readonly summary: string;
    /** How many of each severity; those without any are left out. */
    readonly findings: Readonly<Partial<Record<'blocking' | 'major' | 'minor', number>>>;
  }[];
}

export interface ReceiptAttempt {
  readonly n: number;
  readonly agent: string;
  readonly started_at: string;
  readonly ended_at: string;
  readonly outcome: string;
  readonly exit_code?: number;
  readonly signal?: string;
  readonly message?: string;
  readonly sandbox: SandboxReport;
  readonly limits: Readonly<Record<string, string>>;
  readonly events: number;
  readonly usage?: Usage;
  readonly cost_usd?: number;
  readonly cpu_ms?: number;
  readonly peak_memory_bytes?: number;
  /** Of an agent CLI: version, session, flags, what was denied, and how a corrected launch differed. */
  readonly cli?: ReceiptCli;
  readonly batch?: { readonly id: string; readonly files: number };
}

export interface ReceiptCli {
  readonly kind: string;
  readonly version?: string;
  readonly model?: string;
  readonly session_id?: string;
  /** Command line by which a person looks inside the session or goes on with it. */
  readonly resume?: string;
  readonly flags: readonly string[];
  readonly fault?: string;
  readonly denials?: readonly string[];
  readonly correction?: { readonly added: readonly string[]; readonly removed: readonly string[] };
}

/**
 * What is said of a run, as data: `report.json`, and what the page and the Markdown are drawn from. Names are those of
 * the files (snake_case, RFC 3339, `duration_ms`). Bounded: lists hold what people need first (failures, then samples),
 * with the totals beside them.
 */
import type { Usage } from '../../types/job.ts';
import type { ReceiptAttempt } from '../../types/receipt.ts';
import type { ReviewFinding } from '../../types/review.ts';
import type { RunState, StepState } from '../../types/run.ts';

/** `pending`: it has not begun; in a run that has ended: it was never reached. */
export type ReportStepState = StepState | 'pending';

export interface RunReport {
  readonly schema: 1;
  readonly run_id: string;
  readonly workflow: string;
  readonly description?: string;
  readonly state: RunState;
  readonly reason?: string;
  readonly message?: string;
  readonly fix?: string;
  readonly created_at: string;
  readonly started_at?: string;
  readonly ended_at?: string;
  readonly duration_ms?: number;
  /** When this report was made. */
  readonly generated_at: string;
  readonly trigger: ReportTrigger;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
  /** Steps by state; of these `steps` may hold only the first ones. */
  readonly counts: Readonly<Partial<Record<ReportStepState, number>>>;
  readonly steps_total: number;
  readonly steps: readonly ReportStep[];
  readonly usage?: Usage;
  readonly cost_usd: number | null;
  readonly jobs: number;
  readonly attempts: number;
  /** What the sub-runs used is in `usage` and `cost_usd`, as far as they could be added up. */
  readonly sub_runs: number;
}

export type ReportTrigger =
  | { readonly kind: 'manual'; readonly who: string }
  | {
      readonly kind: 'file';
      readonly job_id: string;
      readonly root: string;
      readonly path: string;
      readonly href?: string;
    }
  | { readonly kind: 'schedule'; readonly schedule: string; readonly due_at: string }
  | {
      readonly kind: 'workflow';
      readonly run_id: string;
      readonly step: string;
      readonly workflow?: string;
      readonly href?: string;
    };

export interface ReportStep {
  readonly name: string;
  readonly type: string;
  /** `on_failure` steps run after the others, when the run fails. */
  readonly on_failure?: true;
  /** What it depends on; absent: order only, it follows the one above. */
  readonly needs?: readonly string[];
  readonly condition?: string;
  readonly continue_on_error?: true;
  readonly state: ReportStepState;
  readonly reason?: string;
  readonly message?: string;
  readonly fix?: string;
  readonly started_at?: string;
  readonly ended_at?: string;
  readonly duration_ms?: number;
  readonly agent?: string;
  readonly job_id?: string;
  readonly attempts: readonly ReceiptAttempt[];
  /** Cut where there is much; `result_bytes` says how long it is. */
  readonly result: string | null;
  readonly result_bytes?: number;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly usage?: Usage;
  readonly cost_usd: number | null;
  readonly cached_from?: string;
  /** What the job whose result it shares had taken. */
  readonly saved?: {
    readonly made_at?: string;
    readonly duration_ms?: number;
    readonly cost_usd: number | null;
  };
  /** Folder of its result, a link relative to the report. */
  readonly href?: string;
  /** What it left in its folder. */
  readonly files_made?: readonly { readonly path: string; readonly bytes: number }[];
  readonly files_made_total?: number;
  readonly items?: ReportItems;
  readonly files?: ReportFiles;
  readonly sub_run?: {
    readonly run_id: string;
    readonly workflow: string;
    readonly state: RunState;
    readonly href?: string;
  };
  readonly approval?: {
    readonly wait_until?: string;
    readonly verdict?: 'approved' | 'rejected';
    readonly by?: string;
    readonly comment?: string;
    readonly at?: string;
    /** The command that answers it, while it waits. */
    readonly ask?: string;
  };
  /** Last lines of what a failed step wrote. */
  readonly tails?: readonly { readonly title: string; readonly text: string }[];
  /** What other agents said of its work, or (of a `review` step) of the work that it judges. Oldest round first. */
  readonly reviews?: readonly ReportReview[];
}

export interface ReportReview {
  readonly round: number;
  readonly trigger: string;
  /** Absent: it goes on, or the work was over before. */
  readonly decision?: string;
  readonly why?: string;
  /** Its author was asked to answer the findings. */
  readonly is_revised?: true;
  readonly started_at: string;
  readonly ended_at?: string;
  /** The job whose work it is. */
  readonly job_id: string;
  readonly verdicts: readonly {
    readonly agent: string;
    readonly weight: number;
    readonly verdict: string;
    readonly summary: string;
    readonly findings: readonly ReviewFinding[];
    readonly findings_total: number;
    readonly job_id?: string;
    readonly cost_usd: number | null;
  }[];
  /** Where it stands at length, a link relative to the report. */
  readonly href?: string;
}

/** Items of `for_each`. */
export interface ReportItems {
  readonly total: number;
  readonly counts: Readonly<Partial<Record<StepState, number>>>;
  /** Failed ones first, then the first of the others. */
  readonly shown: readonly ReportItem[];
  /** When how many ran, for the timeline: evenly spread over the step's time. Absent: all are in `shown`. */
  readonly load?: readonly { readonly running: number; readonly failed: number }[];
}

export interface ReportItem {
  readonly index: number;
  readonly label: string;
  readonly state: StepState;
  readonly reason?: string;
  readonly message?: string;
  readonly fix?: string;
  readonly started_at?: string;
  readonly ended_at?: string;
  readonly duration_ms?: number;
  readonly cached_from?: string;
  readonly href?: string;
  readonly tails?: ReportStep['tails'];
}

/** Files of `file_processing`. */
export interface ReportFiles {
  readonly counts: Readonly<Record<string, number>>;
  readonly total: number;
  /** Failed and held ones first, then the first of the others. */
  readonly shown: readonly ReportFile[];
}

export interface ReportFile {
  readonly root: string;
  readonly path: string;
  readonly job_id: string;
  readonly state: string;
  readonly reason?: string;
  readonly message?: string;
  readonly fix?: string;
  readonly agent: string;
  readonly duration_ms?: number;
  readonly cost_usd: number | null;
  readonly cached_from?: string;
  readonly href?: string;
  readonly tails?: ReportStep['tails'];
}

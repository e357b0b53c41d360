/**
 * A workflow as the configuration holds it: checked, its prompts and templates read, frozen. Plain JSON through and
 * through, so that a run can keep the version that it started with.
 *
 * "Template" below is a text that may hold `${{ … }}`; "expression" is what stands between those braces, written without
 * them. Both are kept as text and were checked when the file was loaded.
 */
import type { EnvEntry, ReviewTerms, RuleConfig, SandboxConfig, SelectionPolicy } from './config.ts';

export interface WorkflowConfig {
  /** Unique; also the name of its folder in the output folder. */
  readonly name: string;
  /** Further names by which it is found: the stem of its file, when it stands there alone. */
  readonly aliases: readonly string[];
  readonly description?: string;
  /** Absolute path of the file it stands in. */
  readonly file: string;
  readonly inputs: readonly WorkflowInput[];
  /** Name → template; evaluated when the run has ended, given to a step that called it. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly env: readonly EnvEntry[];
  readonly concurrency?: {
    /** Template: runs with the same text go one after another. */
    readonly group: string;
    /** The one that runs is cancelled instead of being waited for. */
    readonly cancelInProgress: boolean;
  };
  readonly timeoutMs?: number;
  readonly on: {
    readonly manual: boolean;
    readonly file: readonly FileTrigger[];
    readonly schedules: readonly ScheduleConfig[];
  };
  readonly steps: readonly StepConfig[];
  /** Run one after another when the run fails; what becomes of them does not change the run's state. */
  readonly onFailure: readonly StepConfig[];
}

export interface WorkflowInput {
  readonly name: string;
  readonly type: 'string' | 'number' | 'boolean' | 'choice' | 'json';
  readonly description?: string;
  readonly required: boolean;
  readonly default?: unknown;
  /** Of a `choice`. */
  readonly options?: readonly string[];
}

/** `on: {file: …}`: becomes a routing rule after those of the configuration. */
export interface FileTrigger {
  readonly patterns: readonly string[];
  readonly priority: number;
}

export interface ScheduleConfig {
  /** Unique. */
  readonly name: string;
  readonly workflow: string;
  /** Five or six fields, as croner reads them. */
  readonly cron: string;
  /** IANA name; default: the machine's. */
  readonly timezone?: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  /** When the run before it still goes on. */
  readonly overlap: 'skip' | 'queue' | 'cancel';
  /** Runs once for what was missed while nothing ran; `false`: not at all. */
  readonly catchUp: boolean;
  /** It stands under `on` of its workflow. */
  readonly fromWorkflow?: true;
}

interface StepCommon {
  /** Unique in its workflow (over `steps` and `onFailure`). */
  readonly name: string;
  /** Absent: order only, it follows the one above. Empty: starts at once. */
  readonly needs?: readonly string[];
  /** Expression. */
  readonly if?: string;
  readonly forEach?: {
    /** An expression that gives a list, or the list itself (its texts are templates). */
    readonly items: { readonly expression: string } | { readonly list: readonly unknown[] };
    readonly maxParallel: number;
  };
  /** Name → template over `result` and everything else. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly continueOnError: boolean;
  readonly timeoutMs?: number;
}

/** What steps that run as jobs have besides. */
interface JobStepCommon extends StepCommon {
  readonly expect: RuleConfig['expect'];
  /** Absent: `agent` as its agent says; a command once, an HTTP request three times. */
  readonly retry?: { readonly attempts: number; readonly initialMs: number; readonly maxMs: number };
  readonly env: readonly EnvEntry[];
}

export type StepConfig =
  | FileProcessingStep
  | CommandStep
  | AgentStep
  | HttpStep
  | WorkflowStep
  | ApprovalStep
  | ReviewStep
  | ReportStep;

/** Every file of a directory through the routing rules. */
export interface FileProcessingStep extends StepCommon {
  readonly type: 'file_processing';
  /** Template; relative to the project folder. */
  readonly directory: string;
  readonly recursive: boolean;
}

export interface CommandStep extends JobStepCommon {
  readonly type: 'custom_command';
  /** Templates; each stays one argument. */
  readonly command: readonly string[];
  readonly sandbox: SandboxConfig;
  /** Globs, relative to the project folder: their content is its input. Absent: not cached. */
  readonly cacheInputs?: readonly string[];
}

export interface AgentStep extends JobStepCommon {
  readonly type: 'agent';
  /** Candidates, at least one, in the order of the configuration. */
  readonly agents: readonly string[];
  readonly select: SelectionPolicy;
  /** Template. */
  readonly prompt?: string;
  /** Template: the file it works on, relative to the project folder. Default: the run's file, else the prompt itself. */
  readonly inputFile?: string;
  readonly cache: boolean;
}

export interface HttpStep extends JobStepCommon {
  readonly type: 'http';
  /** Templates; URL and headers may also hold secret references. */
  readonly url: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  /** Template, or JSON whose texts are templates. */
  readonly body?: unknown;
}

export interface WorkflowStep extends StepCommon {
  readonly type: 'workflow';
  /** The called workflow's name (not an alias). */
  readonly workflow: string;
  /** Its inputs; texts are templates. */
  readonly with: Readonly<Record<string, unknown>>;
}

/** Waits for a person; `timeoutMs` absent: for ever. */
export interface ApprovalStep extends StepCommon {
  readonly type: 'approval';
  /** Template. */
  readonly message: string;
  readonly onTimeout: 'reject' | 'approve';
}

/** Other agents judge the work of a step; what they decide is acted on. */
export interface ReviewStep extends StepCommon {
  readonly type: 'review';
  /** The step whose work it is: one above, of type `agent` or `custom_command`. */
  readonly of: string;
  /** Template: what to look for, besides the general. */
  readonly prompt?: string;
  /** Those of the configuration's `reviews` that it does not set are taken from there. */
  readonly reviews: ReviewTerms;
}

/** Renders a template (LiquidJS) over the run. */
export interface ReportStep extends StepCommon {
  readonly type: 'report';
  /** The template's text, and where it stands (for messages). */
  readonly template: { readonly text: string; readonly file: string };
  /** Template: file name in the step's `outputs/`. */
  readonly output: string;
  /** Values for the template; texts are templates. */
  readonly with: Readonly<Record<string, unknown>>;
}

/** Of a step that is given one of several names: what a person writes after `sluice workflow`. */
export function findWorkflow(workflows: readonly WorkflowConfig[], name: string): WorkflowConfig | undefined {
  return (
    workflows.find((one) => one.name === name) ?? workflows.find(({ aliases }) => aliases.includes(name))
  );
}

/**
 * What a step of a run wants done, complete and with nothing left to evaluate: it stands in the ledger with its job, so
 * that a restart, a reload and another host run the same. The agent itself is looked up when the job starts.
 */
import type { EnvEntry, RuleConfig, SandboxConfig } from '../config/config.ts';

export interface StepTask {
  readonly runId: string;
  readonly workflow: string;
  /** `lint`, or `lint[3]` for an item. */
  readonly step: string;
  readonly work: StepWork;
  /** The file it works on. Absent: none; an agent gets its prompt as a file. */
  readonly file?: {
    /** Absolute. */
    readonly path: string;
    readonly sha256: string;
    readonly bytes: number;
    /** `formatStamp` of the version that was fingerprinted. */
    readonly stamp: string;
  };
  readonly expect: RuleConfig['expect'];
  readonly timeoutMs?: number;
  readonly retry?: { readonly attempts: number; readonly initialMs: number; readonly maxMs: number };
  /** Added to what the agent sets. */
  readonly env: readonly EnvEntry[];
  /** Result may be shared with equal work: an agent's by default, a command's when its inputs are named. */
  readonly isShared: boolean;
  /** Checksum over whatever else decides the result: contents of a command's `cache.inputs`. */
  readonly inputsSha256?: string;
}

export type StepWork =
  /** `agents`: candidates in the order in which they were chosen; the first that can work gets it. */
  | { readonly kind: 'agent'; readonly agents: readonly string[]; readonly prompt?: string }
  | { readonly kind: 'command'; readonly command: readonly string[]; readonly sandbox: SandboxConfig }
  | {
      readonly kind: 'http';
      /** May hold secret references, resolved when it is sent; what was interpolated is kept apart from them. */
      readonly url: string;
      readonly method: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly body?: string;
    };

/** Stands where a step has its workflow: a job of a reviewer. Its run is that of the work, or the job that did it. */
export const REVIEWS = 'reviews';
/** Stands where a step has its workflow and run: a job of `sluice agents test`. It belongs to no run, and nobody reviews it. */
export const AGENTS_TEST = 'agents-test';

/** Asked for by us: what reviewers say, and what an agent says that is tried out. */
export function isOurs(step: Pick<StepTask, 'workflow'> | undefined): boolean {
  return step?.workflow === REVIEWS || step?.workflow === AGENTS_TEST;
}

/** Names of the agents that stand for steps without one of their own; no configured agent can be called so. */
export const stepAgents = { command: '$command', http: '$http' } as const;
/** A rule with `workflow: NAME` sends its files to the agent of this name. */
export const workflowAgent = (workflow: string): string => `$workflow:${workflow}`;
/** An agent for people: those that stand for steps and workflows are named by what they stand for. */
export function agentWords(agent: string): string {
  const [, kind = agent, workflow] = /^\$(\w+)(?::(.*))?$/s.exec(agent) ?? [];
  return workflow === undefined ? kind : `${kind} ${workflow}`;
}
/** The root of files that `file_processing` finds in the project folder outside every root. */
export const PROJECT_ROOT = '@project';

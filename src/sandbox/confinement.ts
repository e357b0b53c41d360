/** What is handed out of this folder for one attempt: how to start it, and what to make of how it ended. */
import type { AttemptState } from '../types/attempt-state.ts';
import type { SandboxReport } from '../types/job.ts';

export type Environment = Readonly<Record<string, string>>;

export interface ConfineRequest {
  readonly agent: string;
  readonly jobId: string;
  readonly attempt: number;
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly cwd: string;
  /** Absolute path of the program that `argv[0]` means. */
  readonly commandFile: string;
  readonly workDir: string;
  readonly rootDirs: readonly string[];
  readonly inputs: readonly string[];
  /** The tree that the agent works on: its copy, or the root's folder. */
  readonly workspaceDir: string;
  /** Places in the home that are the program's own: shown, and written. Absolute. */
  readonly ownPlaces?: readonly string[];
  /** What lies in those and is not written, or is shown besides, read-only. Absolute; exist. */
  readonly ownProtected?: readonly string[];
  /** How it reaches the state of its session: that much of the state folder is shown. */
  readonly state?: AttemptState;
}

export type Confinement =
  /** Run this. */
  | {
      readonly kind: 'run';
      readonly argv: readonly string[];
      readonly env: Environment;
      readonly report: SandboxReport;
      /** `argv` begins with bubblewrap. */
      readonly sandboxed: boolean;
      /** Present: `argv` begins with a confining program, and this says what its failure means. */
      readonly faultOf?: (stderrTail: string) => Promise<SetupFault | undefined>;
    }
  /** Cannot be confined as it must be. */
  | {
      readonly kind: 'refused';
      readonly message: string;
      readonly fix: string;
      readonly report: SandboxReport;
    };

/** The confining program failed, not the command in it. */
export type SetupFault =
  /** Another try, with a fresh look, may succeed. */
  | { readonly kind: 'again'; readonly message: string; readonly fix: string }
  | { readonly kind: 'not_started'; readonly code: string; readonly message: string }
  | { readonly kind: 'refused'; readonly message: string; readonly fix: string };

/**
 * What this machine has that could work: agent CLIs, their like from plugins, and some tools; in which state, and the entry
 * of a configuration that registers each. Asks programs for their version and help, costs nothing, sends nothing anywhere.
 */
import type { LoginState } from '../cli/kind.ts';
import type { LoadedKind } from '../plugins/plugins.ts';

/** What one program is good for, found or not. */
export interface Detection {
  /** Of an agent CLI its kind; of a tool its program's name: `claude`, `docker`. */
  readonly id: string;
  /** `Claude Code` */
  readonly title: string;
  /** What an agent of it is for, one line. */
  readonly purpose: string;
  readonly capabilities: readonly string[];
  readonly state: DetectionState;
  readonly proposal: Proposal;
}

export type DetectionState =
  | {
      readonly is: 'found';
      readonly file: string;
      readonly version: string;
      /** Absent: it needs none. */
      readonly login?: LoginState & { readonly fix?: string };
      /** Flags that we would use and its help does not name. */
      readonly lacks: readonly string[];
    }
  /** It is there and cannot be used: broken, too old, its service does not answer. */
  | { readonly is: 'unusable'; readonly file?: string; readonly problem: string; readonly fix: string }
  /** `install`: a command line, or where it is told. */
  | { readonly is: 'missing'; readonly install: string };

/** An entry under `agents`, as a configuration file has it. */
export interface Proposal {
  readonly name: string;
  readonly entry: Readonly<Record<string, unknown>>;
}

export interface DetectOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly projectDir: string;
  /** Kinds that packages bring. */
  readonly plugins?: readonly LoadedKind[];
  readonly signal?: AbortSignal;
}

/** In a fixed order: agent CLIs, those of plugins, tools. Never throws for what a program does. */
export async function detectAgents(_options: DetectOptions): Promise<readonly Detection[]> {
  return [];
}

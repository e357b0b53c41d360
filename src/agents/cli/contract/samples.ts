/** What a kind is tested with: streams that its CLI really wrote, and what they mean. */
import type { CliReport, FaultClass } from '../../../types/agent-cli.ts';
import type { Usage } from '../../../types/job.ts';

export interface KindSamples {
  /** At least one success; the more ways of failing, the better. */
  readonly recordings: readonly KindRecording[];
  /** The CLI takes no prompt by stdin: it is an argument, and a file where it is too long for one. */
  readonly takesPromptAsArgument?: boolean;
  /** The CLI has no modes: it is started in the same way whatever it may do. */
  readonly ignoresAccess?: boolean;
  /** The CLI cannot be given further folders. */
  readonly ignoresDirectories?: boolean;
}

export interface KindRecording {
  readonly name: string;
  /** As it was written, byte for byte. */
  readonly stdout: string;
  readonly stderr?: string;
  readonly exitCode?: number;
  readonly signal?: string;
  /** Content of `lastMessageFile` after it. */
  readonly lastMessage?: string;
  readonly expect: {
    readonly terminal: CliReport['terminal'];
    /** The whole answer. */
    readonly text?: string;
    /** Class of the most telling fault; null: none. */
    readonly fault?: FaultClass | null;
    /** How many things were denied. */
    readonly denials?: number;
    /** What it used, counted by hand: a token stands in one bucket only, a cached one not among `input_tokens`, too. */
    readonly usage?: Usage | null;
    /** US dollars; null: it does not say. */
    readonly costUsd?: number | null;
  };
}

/** One check; `run` throws an `AssertionError` where the kind fails it. */
export interface ContractCheck {
  readonly name: string;
  run(): void | Promise<void>;
}

/**
 * What an attempt of an agent CLI says of itself, in words that are the same for all of them. Readers of the kinds make
 * it from their own streams (`src/agents/cli`); the coordinator judges by it. Plain JSON: it stands in the ledger.
 */
import type { Usage } from './job.ts';

/** What an agent may do: look; change files of its folders; run anything. Each holds what stands before it. */
export type Access = 'read' | 'edit' | 'all';

/** Why a request to the model, or the CLI itself, failed. */
export type FaultClass =
  /** Wrong or missing key, not logged in, no right to this model. */
  | 'auth'
  /** Credit, plan or daily quota used up: later, or after somebody paid. */
  | 'quota'
  /** Too many requests or tokens for now. */
  | 'rate'
  /** The service is overloaded. */
  | 'overloaded'
  /** The service failed (5xx, an error within the stream). */
  | 'server'
  /** No connection, or it was cut. */
  | 'network'
  /** The model refused the work. */
  | 'refused'
  /** No such model. */
  | 'model'
  /** The prompt, or the conversation, is too long for the model. */
  | 'context'
  /** The answer was cut at the model's limit. */
  | 'output_limit'
  /** No answer of the shape that was asked for, after attempts of its own. */
  | 'shape'
  /** A bound of the CLI's own: turns, money. */
  | 'limits'
  /** The CLI does not know a flag, or not in this form. */
  | 'flags'
  /** The folder is not trusted, no git repository, the user is root, the session does not exist … */
  | 'setup';

export interface CliFault {
  readonly class: FaultClass;
  /** One line, as the CLI or the service worded it. */
  readonly message: string;
  /** When it may be tried again, where the message names a time. Epoch milliseconds. */
  readonly until?: number;
  /** Or after how long. */
  readonly retryAfterMs?: number;
  /** What a person should do, where this kind knows better than a general text. */
  readonly fix?: string;
  /** What would avoid it at the next launch. */
  readonly cure?: Cure;
}

/** What a launch must change so that something is not denied or refused again. */
export type Cure =
  | { readonly kind: 'access'; readonly access: Access }
  /** It wants into a folder that it was not given. Absolute. */
  | { readonly kind: 'directory'; readonly path: string; readonly write: boolean }
  /** One tool, in the CLI's own words: `Write`, `Bash(npm test:*)`. */
  | { readonly kind: 'tool'; readonly tool: string; readonly access: Access }
  | { readonly kind: 'skip_git_check' }
  /** A flag that this version does not know. */
  | { readonly kind: 'without_flag'; readonly flag: string };

/** Something the agent wanted to do and was not let. */
export interface Denial {
  readonly message: string;
  readonly tool?: string;
  readonly file?: string;
  /** Absent: nothing that a launch could change lifts it. */
  readonly cure?: Cure;
}

/** What a corrected launch changes of a plain one; of an attempt, and learned for the next ones. */
export interface Correction {
  readonly access?: Access;
  readonly directories?: readonly string[];
  readonly tools?: readonly string[];
  /** What `tools` can do at most: they go when the ceiling is lowered below it. */
  readonly toolAccess?: Access;
  readonly skipGitCheck?: boolean;
  readonly withoutFlags?: readonly string[];
  /** Of the program that does not know `withoutFlags`: another version may. */
  readonly version?: string;
}

export interface CliReport {
  /** What its last word was: `none` when the stream ended without one. */
  readonly terminal: 'success' | 'failure' | 'none';
  /** Why it failed, most telling first. Faults that it got over by itself are not here. */
  readonly faults: readonly CliFault[];
  /** In the order in which they happened; each once. */
  readonly denials: readonly Denial[];
  /** The final answer. */
  readonly text: string;
  /** The answer as JSON, where the CLI gives it apart. */
  readonly structured?: unknown;
  readonly sessionId?: string;
  readonly model?: string;
  /** Of this attempt alone: what a resumed session had used before is not in it. */
  readonly usage?: Usage;
  /** US dollars as the CLI reports them; null: it does not. */
  readonly costUsd: number | null;
}

/** What is kept of a CLI's attempt in the ledger, and shown on the receipt. */
export interface CliRecord {
  readonly kind: string;
  readonly version?: string;
  readonly model?: string;
  readonly sessionId?: string;
  /** How a person looks inside or goes on: `cd … && claude --resume …`. */
  readonly resume?: string;
  /** How it was started, without the program and without prompts. */
  readonly flags: readonly string[];
  readonly fault?: FaultClass;
  readonly denials: readonly string[];
  /** What this attempt was given beyond a plain launch, and what of its flags differs from it. */
  readonly correction?: Correction & {
    readonly added: readonly string[];
    readonly removed: readonly string[];
  };
  /** What the next attempt is to be given because of this one. */
  readonly next?: Correction;
  /** What would have lifted its denials and is beyond its ceiling: given when that has been raised. */
  readonly wanted?: Correction;
}

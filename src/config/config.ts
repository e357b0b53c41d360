/** The resolved configuration: what the rest of the program reads. Made once by `load.ts`, frozen, replaced whole. */

export interface Config {
  /** Absolute path of the file it came from. */
  readonly file: string;
  /** Holds `config/`, or the file itself; relative paths and commands start here. */
  readonly projectDir: string;
  /** `<projectDir>/.sluice`. */
  readonly stateDir: string;
  readonly roots: readonly RootConfig[];
  /** In the order in which they are tried: priority, then the file's order. */
  readonly rules: readonly RuleConfig[];
  readonly agents: ReadonlyMap<string, AgentConfig>;
  readonly concurrency: { readonly maxProcesses: number; readonly maxConcurrentFiles: number };
  readonly output: {
    readonly dir: string;
    readonly preserveOriginal: boolean;
    readonly logLevel: LogLevel;
    readonly retentionMs: number;
    readonly fileMode: number;
  };
  readonly cache: { readonly ttlMs: number; readonly maxBytes: number };
  readonly daemon: { readonly drainMs: number; readonly minFreeDiskBytes: number };
}

export type LogLevel = 'debug' | 'info' | 'warning' | 'error' | 'critical';
export type WatchMode = 'auto' | 'native' | 'portable' | 'poll';

export interface RootConfig {
  readonly name: string;
  /** Absolute. */
  readonly dir: string;
  /** The project's own patterns, gitignore syntax, relative to the root. */
  readonly ignore: readonly string[];
  /** Built-in patterns in force (`*.part`, VCS folders …); empty when switched off. */
  readonly defaultIgnore: readonly string[];
  readonly mode: WatchMode;
  readonly settle: { readonly kind: 'auto' } | { readonly kind: 'quiet'; readonly quietMs: number };
  /** A name pattern with `{name}` (file name), `{stem}`: not before this file stands beside it. */
  readonly ready?: string;
  readonly sweepMs: number;
  readonly initial: 'process' | 'ignore';
  readonly onChange: 'queue' | 'restart' | 'ignore';
  readonly on: ReadonlySet<'added' | 'changed'>;
}

export type RuleTarget =
  | { readonly kind: 'agent'; readonly agent: string }
  | { readonly kind: 'action'; readonly action: 'quarantine' | 'ignore' };

export interface RuleConfig {
  /** Given, or made from the pattern; unique. */
  readonly name: string;
  readonly patterns: readonly string[];
  readonly priority: number;
  readonly target: RuleTarget;
  /** The prompt's text, from `prompt` or the content of `prompt_file`. */
  readonly prompt?: string;
  readonly expect: {
    readonly outputs: readonly string[];
    readonly jsonSchema?: { readonly file: string; readonly schema: unknown };
  };
  readonly cache: 'content' | 'path' | 'off';
  readonly maxInputBytes?: number;
}

interface AgentCommon {
  readonly name: string;
  readonly description?: string;
  /** `Infinity` when unlimited. */
  readonly maxLoad: number;
  readonly timeoutMs: number;
  /** Absent: no idle time-out. */
  readonly idleTimeoutMs?: number;
  readonly retry: { readonly attempts: number; readonly initialMs: number; readonly maxMs: number };
  readonly maxOutputBytes: number;
  /** Names of further environment variables it may see, and variables set for it (values may be secret references). */
  readonly env: readonly EnvEntry[];
  readonly sandbox: { readonly mode: 'auto' } | { readonly mode: 'off'; readonly reason: string };
}

export type EnvEntry =
  | { readonly kind: 'pass'; readonly name: string }
  | { readonly kind: 'set'; readonly name: string; readonly value: string };

export type AgentConfig =
  | (AgentCommon & { readonly kind: 'command'; readonly command: readonly string[] })
  | (AgentCommon & {
      readonly kind: 'http';
      /** May hold secret references. */
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
    })
  | (AgentCommon & { readonly kind: 'builtin' });

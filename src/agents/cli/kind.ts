/**
 * One agent CLI: how it is found, started and read. Everything here is a pure description; processes, files, limits and
 * confinement are the runner's. A plugin exports the same (`docs/plugins.md`), and `contract/` tests it.
 */
import type { AgentEvent } from '../../types/agent.ts';
import type { Access, CliReport } from '../../types/agent-cli.ts';

export interface CliKind {
  /** The word after `kind:`; of a plugin its own name for itself. */
  readonly name: string;
  /** For people: `Claude Code`. */
  readonly title: string;
  /** Names of its program, looked for on PATH in this order. */
  readonly programs: readonly string[];
  /** How it is installed: a command line. */
  readonly install: string;
  /** How a person logs in, a sentence. */
  readonly login: string;
  /** What a detected agent of this kind can do, unless its entry says otherwise. */
  readonly capabilities: readonly string[];
  /** Older ones are refused. `1.2.3` */
  readonly minimumVersion: string;
  readonly versionArgs: readonly string[];
  /** Prints the flags of the headless mode. */
  readonly helpArgs: readonly string[];
  /** Variables of the daemon's environment that it sees besides the small default: keys, endpoints. `X_*` for a family. */
  readonly environment: readonly string[];
  /** Files and folders in the home where it keeps log-in and sessions; shown and writable in its sandbox. */
  readonly home: readonly HomePlace[];
  /** Whether it can log in, as far as variables and files say. Asks nobody; the files' contents are looked at, not kept. */
  loginState(o: LoginQuestion): Promise<LoginState>;
  /**
   * Names of further variables of the daemon's environment that hold its key, as the person's own settings name them. They
   * are secrets. Absent: there are none but those of `environment`.
   */
  keyVariables?(o: LoginQuestion): Promise<readonly string[]>;
  /**
   * Variables by which it logs in as that person, for a launch that hides the person's files from it: name → value. They
   * are secrets: seen by the program alone, redacted in what comes out, never written. Absent: none.
   */
  loginVariables?(o: LoginQuestion): Promise<Readonly<Record<string, string>>>;
  /** How to start it. Pure; throws nothing. */
  launch(request: LaunchRequest): Launch;
  /** Reads the stream of one attempt. */
  read(): CliReader;
  /** Command line by which a person looks inside a session or goes on with it. Undefined: it does not outlive its job. */
  resume(sessionId: string, cwd: string): string | undefined;
}

export interface HomePlace {
  /** Relative to the home: `.codex`. */
  readonly path: string;
  /** A variable that names another place instead: `CODEX_HOME`. */
  readonly variable?: string;
  /** Only this of it: `sessions`. */
  readonly below?: string;
  /** It is a folder (the default) or a file. */
  readonly isFile?: boolean;
  /**
   * What lies in it and decides what later runs may do or start (settings, hooks): never written from inside the sandbox.
   * Made with this content where it is missing, since what is not there cannot be protected; a folder where there is none.
   */
  readonly protected?: readonly { readonly path: string; readonly content?: string }[];
  /** Shown, never written. */
  readonly isReadOnly?: boolean;
  /**
   * Started with these arguments it unpacks itself there. That is done outside of the sandbox before its first attempt, so
   * that no attempt has to be able to write a program that people run, too.
   */
  readonly unpackedBy?: readonly string[];
  /**
   * Files in it that change when somebody logs in, and seldom else; `.`: the place itself. An agent that was not let in is
   * tried again when one of them has changed. Default: a place that is a file counts, a folder does not.
   */
  readonly logIn?: readonly string[];
}

export interface LoginQuestion {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}

export interface LoginState {
  readonly state: 'logged_in' | 'logged_out' | 'unknown';
  /** By what, or what is missing: `ANTHROPIC_API_KEY`, `~/.codex/auth.json`. */
  readonly detail: string;
  /** Which of its ways to log in that is, in the CLI's own words: told to the launch. */
  readonly method?: string;
  /** How a person logs in in this way, a sentence, where that is another than the kind's. */
  readonly fix?: string;
}

export interface CliVersion {
  /** `2.1.328` */
  readonly text: string;
  /** Every `--flag` and `-f` that its help names; undefined when the help could not be had. Hidden flags are not there. */
  readonly flags?: ReadonlySet<string>;
}

export interface LaunchRequest {
  readonly version: CliVersion;
  readonly model?: string;
  /** In the CLI's own words: `low medium high …`. */
  readonly effort?: string;
  readonly maxTurns?: number;
  /** Tools that need no permission, in the CLI's own words. Within `access` already. */
  readonly tools: readonly string[];
  readonly access: Access;
  /** Absolute; exists. */
  readonly cwd: string;
  /** Further folders that it may look into and, as far as `access` lets it, change. Absolute; exist; without `cwd`. */
  readonly directories: readonly string[];
  /** The complete prompt: instructions and fenced data. */
  readonly prompt: string;
  /** The answer is to be JSON of this shape; `file` holds the schema. */
  readonly schema?: { readonly file: string; readonly schema: unknown };
  /** US dollars after which the CLI should stop by itself, where it can. */
  readonly maxUsd?: number;
  /** A UUID of ours that it may use as the id of its session. */
  readonly sessionId: string;
  /** Absolute; ours alone: `files` of the launch go here. */
  readonly workDir: string;
  readonly skipGitCheck: boolean;
  /** What `loginState` said of this environment. */
  readonly login?: LoginState;
  /** Flags that this version turned out not to know. */
  readonly withoutFlags: readonly string[];
  /** It runs inside a sandbox of ours: its own need not keep it. */
  readonly isConfined: boolean;
  readonly isRoot: boolean;
  /** What it will see; a launch may add to it. */
  readonly env: Readonly<Record<string, string>>;
  /** Of a plugin: `options` of the agent's configuration. */
  readonly options: Readonly<Record<string, unknown>>;
}

export interface Launch {
  /** Without the program. Never holds the prompt where the CLI can take it by stdin. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Absolute path within `workDir` → content, written before the start. */
  readonly files: readonly (readonly [string, string])[];
  /**
   * Absolute path within `workDir` → a file or folder of the user's that it stands for, by a symbolic link: log-ins that it
   * renews, sessions. Made before the start where that is; `home` has to show it.
   */
  readonly links?: readonly (readonly [string, string])[];
  /** Given to its stdin, which then ends. Absent: it ends at once. */
  readonly stdin?: string;
  /** A file that it leaves its last message in, or something else that its reader wants. Directly in `workDir`; absolute. */
  readonly lastMessageFile?: string;
}

/** One line of its stdout. */
export type CliLine =
  | { readonly kind: 'json'; readonly value: Readonly<Record<string, unknown>> }
  /** Not a JSON object: a torn line, a banner. */
  | { readonly kind: 'text'; readonly text: string }
  /** Longer than 16 MiB: left out. */
  | { readonly kind: 'oversized'; readonly bytes: number };

export interface CliEnd {
  readonly exitCode?: number;
  readonly signal?: string;
  /** Up to 64 KiB of its beginning and its end. */
  readonly stderr: string;
  /** Content of `lastMessageFile`, if it is there. */
  readonly lastMessage?: string;
  /** Epoch milliseconds: for times that a message names without a day. */
  readonly now: number;
}

/**
 * Reads one attempt's stream. Unknown events are no events and break nothing; nothing here throws. Payloads hold `text`,
 * and where it is known `progress` (0–100), `file`, `tool` with `args` (calls of tools, for `stuck` and the tripwire),
 * `permission: true` (a blocker that is a denial), `final: true` (the terminal event), `usage` and `cost_usd` (what is
 * new since the last that said so; all of them together are the attempt's). A `text` may be long: it is cut when it is told.
 */
export interface CliReader {
  line(line: CliLine): readonly AgentEvent[];
  /** The terminal event was read: nothing that matters follows. */
  readonly hasEnded: boolean;
  /** Nothing good can come any more, and it would go on: it is ended at once. Absent: no. */
  readonly isHopeless?: boolean;
  /** Call once, after the last line. */
  end(end: CliEnd): CliReport;
}

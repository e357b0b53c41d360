/** The resolved configuration: what the rest of the program reads. Made once by `load.ts`, frozen, replaced whole. */
import type { Access } from '../types/agent-cli.ts';
import type { ScheduleConfig, WorkflowConfig } from './workflow.ts';

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
  /**
   * With those that nobody wrote, whose names begin with `$` (`isOwnAgent`): `$command` and `$http` stand for steps
   * without an agent, `$workflow:NAME` for a workflow that a rule sends files to. Listings leave them out.
   */
  readonly agents: ReadonlyMap<string, AgentConfig>;
  /** In the order of the files and of what stands in them. */
  readonly workflows: readonly WorkflowConfig[];
  /** Those of the configuration, then those under `on` of workflows. */
  readonly schedules: readonly ScheduleConfig[];
  readonly concurrency: { readonly maxProcesses: number; readonly maxConcurrentFiles: number };
  /** Of all agents and rules together. */
  readonly budget?: BudgetConfig;
  /** What tokens cost, for agents that do not say it themselves; the first that fits holds. */
  readonly prices: readonly PriceConfig[];
  /** Absent: work is reviewed only by `review` steps and by hand. */
  readonly reviews?: ReviewsConfig;
  readonly alerts: readonly AlertConfig[];
  readonly thresholds: ThresholdsConfig;
  readonly output: {
    readonly dir: string;
    readonly preserveOriginal: boolean;
    readonly logLevel: LogLevel;
    readonly retentionMs: number;
    /** Ended jobs that are kept at most, newest first; `Infinity` when unlimited. */
    readonly retentionJobs: number;
    readonly fileMode: number;
  };
  readonly cache: { readonly ttlMs: number; readonly maxBytes: number };
  readonly daemon: {
    readonly drainMs: number;
    readonly minFreeDiskBytes: number;
    /** A file that descends from our own work in more steps than this is held. */
    readonly maxDepth: number;
    /** Bound of the log files together. */
    readonly maxLogBytes: number;
  };
}

/** What may be spent. A day is a UTC day; a run is one job of one agent, all its attempts together. */
export interface BudgetConfig {
  readonly usdPerRun?: number;
  readonly usdPerDay?: number;
  readonly tokensPerRun?: number;
  readonly tokensPerDay?: number;
  /** What happens with an agent that has not said what it cost: `refuse` parks its further work. */
  readonly unknownCost: 'refuse' | 'allow';
}

export interface BatchConfig {
  readonly maxFiles: number | 'auto';
  /** A batch that is not full starts when nothing came for so long. */
  readonly quietMs: number;
  readonly onFailure: 'bisect' | 'fail';
  /** `folder`: everything below one folder of the root is one unit, whatever its number. */
  readonly by: 'files' | 'folder';
}

/** Faults are the agent's: not started, not reachable, not in time. */
export interface BreakerConfig {
  /** Share of faults and slow calls among the calls of the window at which it opens: 0 < x ≤ 1. */
  readonly errorRate: number;
  /** Not before so many calls. */
  readonly minimum: number;
  readonly windowMs: number;
  /** A call that takes longer counts as a fault. Absent: none does. */
  readonly slowMs?: number;
  /** First pause; doubles each time a probe fails, up to 10 min. */
  readonly resetMs: number;
}

/** At most `count` attempts begin in any span of `perMs`. */
export interface RateConfig {
  readonly count: number;
  readonly perMs: number;
  /** As it was written: `30/min`. */
  readonly text: string;
}

export type SandboxConfig =
  | {
      readonly mode: 'auto' | 'required';
      /** `workspace` (the tree the agent works on), `project`, or absolute paths. The job's folder always is. */
      readonly write: readonly string[];
      readonly network: 'none' | 'allow' | readonly string[];
      /** Commands that are refused, and those that need `sluice jobs approve`: `git push` is `['git', 'push']`. */
      readonly blocked: readonly (readonly string[])[];
      readonly confirm: readonly (readonly string[])[];
    }
  | { readonly mode: 'off'; readonly reason: string };

export interface AlertConfig {
  /** Condition codes, or `all`, `digest` (once a day), `success` (each job that succeeded). */
  readonly on: readonly string[];
  /** May hold secret references. */
  readonly webhook: string;
  readonly format: 'json' | 'slack' | 'discord' | 'ntfy';
  /** Of one condition and subject: not more often than this. */
  readonly minIntervalMs: number;
}

/** US dollars for a million tokens each. */
export interface PriceConfig {
  /** The model's name; `*` stands for anything. */
  readonly model: string;
  /** Holds from this day on (UTC midnight, epoch milliseconds; 0: always): of several, the latest that has come. */
  readonly from: number;
  readonly input: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly output: number;
}

export type ReviewTrigger = 'result' | 'milestone' | 'blocker' | 'request' | 'quiet' | 'manual' | 'step';
export type ReviewDecision = 'continue' | 'warn' | 'pause' | 'stop';

/** How work is reviewed by other agents before it counts, and while it goes on. */
export interface ReviewsConfig extends ReviewTerms {
  /** `result`: work that has its proof; the others happen while it goes on. */
  readonly on: ReadonlySet<Exclude<ReviewTrigger, 'manual' | 'step'>>;
  /** Work that tells nothing for so long is looked at. */
  readonly quietMs: number;
}

/** Who reviews, and what follows. Plain JSON: steps of workflows carry it. */
export interface ReviewTerms {
  /** How many agents review. */
  readonly reviewers: number;
  /** Who may review, in this order. Empty: every agent with the capability `code_review`. */
  readonly agents: readonly string[];
  /** Reviews of one piece of work in all: in between its author answers blocking findings. */
  readonly maxRounds: number;
  /** Fewer valid verdicts than this decide nothing: a person is asked. Absent: more than half of those who are asked. */
  readonly quorum?: number;
  /** `four_rules`: any blocker stops, two concerns pause, one warns. `votes`: more than half of the weight. Or rules in order. */
  readonly policy: 'four_rules' | 'votes' | readonly ReviewRule[];
  /** Weight of an agent's verdict; 1 where it is not named. */
  readonly weights: Readonly<Record<string, number>>;
}

export interface ReviewRule {
  /** Expression over `approved`, `concerns`, `blockers` (weights) and `verdicts`, `missing`, `round` (numbers). */
  readonly if: string;
  readonly decision: ReviewDecision;
}

/** When numbers become conditions. */
export interface ThresholdsConfig {
  /** `ERROR_RATE`: share of failed among the jobs that ended within `windowMs`, of at least `minimum`. */
  readonly errorRate: number;
  readonly minimum: number;
  readonly windowMs: number;
  /** `DELAY`: the oldest job that could run has waited for so long. */
  readonly delayMs: number;
  /** `RESOURCES_LOW`: the machine's free memory is below this share. */
  readonly freeMemory: number;
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
  /** `ask`: process, but hold more than 50 for an agent with a budget in money. */
  readonly initial: 'ask' | 'process' | 'ignore';
  readonly onChange: 'queue' | 'restart' | 'ignore';
  readonly on: ReadonlySet<'added' | 'changed'>;
}

export type SelectionPolicy = 'least_loaded' | 'specialized' | 'in_order';

export type RuleTarget =
  | { readonly kind: 'agent'; readonly agent: string }
  /** One of several, chosen for each job when it is taken in. Names in the order of the file. */
  | { readonly kind: 'select'; readonly agents: readonly string[]; readonly policy: SelectionPolicy }
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
  /** Attempts of this rule at once; `Infinity` when unlimited. */
  readonly maxLoad: number;
  readonly batch?: BatchConfig;
  readonly budget?: BudgetConfig;
  /** Whether `reviews` hold for its work. Absent: where an agent CLI did it. */
  readonly review?: boolean;
  /** Made from `on.file` of the workflow that it sends files to. */
  readonly fromWorkflow?: true;
}

interface AgentCommon {
  readonly name: string;
  readonly description?: string;
  readonly type?: string;
  readonly capabilities: readonly string[];
  /** What it says of some of its capabilities. */
  readonly capabilityDetails?: readonly CapabilityDetail[];
  /** `light`: for small pieces of work and reviews; `heavy` for the rest. Absent: either. */
  readonly load?: 'heavy' | 'light';
  /** What one piece of work should take: told in prompts; larger inputs go to others first. */
  readonly tokensPerTask?: number;
  /** For selection among several agents: higher first. */
  readonly priority: number;
  /** Agents that take over, in this order, when this one fails or cannot work. */
  readonly fallback: readonly string[];
  /** `Infinity` when unlimited. */
  readonly maxLoad: number;
  readonly rate?: RateConfig;
  readonly budget?: BudgetConfig;
  /** Absent: switched off. */
  readonly breaker?: BreakerConfig;
  readonly limits: {
    /** Of one core: 50 is half of one. */
    readonly cpuPercent?: number;
    readonly memoryBytes?: number;
    /** Wall time after which the attempt is ended and not tried again. */
    readonly runtimeMs?: number;
    /** Refuse to run where CPU or memory cannot be enforced. */
    readonly required: boolean;
  };
  /** The same tool call so often in a row ends the attempt as `stuck`; `Infinity`: never. */
  readonly maxRepeats: number;
  readonly workspace: 'in_place' | 'copy';
  readonly timeoutMs: number;
  /** Absent: no idle time-out. */
  readonly idleTimeoutMs?: number;
  readonly retry: { readonly attempts: number; readonly initialMs: number; readonly maxMs: number };
  readonly maxOutputBytes: number;
  /** Names of further environment variables it may see, and variables set for it (values may be secret references). */
  readonly env: readonly EnvEntry[];
  readonly sandbox: SandboxConfig;
}

export interface CapabilityDetail {
  readonly name: string;
  readonly description?: string;
  readonly domains: readonly string[];
  readonly tools: readonly string[];
}

export const cliKinds = ['claude', 'codex', 'gemini', 'opencode', 'copilot', 'plugin'] as const;
export type CliKindName = (typeof cliKinds)[number];

/** What an agent CLI is started with. */
export interface CliSettings {
  /** Its program, a name or a path; absent: the kind's own names. */
  readonly program?: string;
  /** Of kind `plugin`: the npm package, and what its agent is told. */
  readonly plugin?: { readonly package: string; readonly options: Readonly<Record<string, unknown>> };
  readonly model?: string;
  readonly effort?: string;
  readonly maxTurns?: number;
  /** Tools that need no permission, in the CLI's own words. */
  readonly tools: readonly string[];
  readonly permissions: {
    /** What it starts with, and what one corrected launch may widen that to. */
    readonly mode: Access;
    readonly ceiling: Access;
    /** Folders besides the tree it works on that it may be given when it asks. Absolute. */
    readonly directories: readonly string[];
  };
  readonly onQuota: 'wait' | 'fallback' | 'pause';
}

export type CliAgent = Extract<AgentConfig, { kind: CliKindName }>;

export function isCliAgent(agent: AgentConfig): agent is CliAgent {
  return (cliKinds as readonly string[]).includes(agent.kind);
}

export type EnvEntry =
  | { readonly kind: 'pass'; readonly name: string }
  | {
      readonly kind: 'set';
      readonly name: string;
      readonly value: string;
      /** Filled in (a step's): bytes in it are written as `types/path-bytes.ts` says. */
      readonly isLiteral?: boolean;
    };

export type AgentConfig =
  | (AgentCommon & {
      readonly kind: 'command';
      readonly command: readonly string[];
      /** Its words are complete (a step's): nothing in them is a placeholder. */
      readonly isLiteral?: boolean;
    })
  | (AgentCommon & {
      readonly kind: 'http';
      /** May hold secret references. */
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
      /** Sent instead of the file (a step's). */
      readonly request?: { readonly method: string; readonly body?: string };
    })
  | (AgentCommon & { readonly kind: 'builtin' })
  | (AgentCommon & { readonly kind: CliKindName; readonly cli: CliSettings })
  | (AgentCommon & {
      /** Never written in a configuration: stands for a workflow that rules send files to. */
      readonly kind: 'workflow';
      readonly workflow: string;
      /** Checksum over everything that decides what it gives: the definition and those that it calls. */
      readonly definition: string;
    });

/** Made by us, not written by anybody: `$command`, `$http`, `$workflow:NAME`. */
export function isOwnAgent(name: string): boolean {
  return name.startsWith('$');
}

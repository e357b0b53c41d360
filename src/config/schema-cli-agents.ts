/** The part of the schema that describes agent CLIs: one table of keys for those that come with Sluice and for plugins. */
import { type Static, Type } from 'typebox';
import {
  agentEnvironment,
  CliSandbox,
  circuitBreaker,
  idleTimeout,
  maxLoad,
  maxRepeats,
  processLimits,
  sharedByAll,
  sharedByPaid,
  workspace,
} from './schema-agent-keys.ts';
import { Duration, OneOf, Percent, Section, Size, Text, Texts, Whole } from './schema-values.ts';

const Permissions = Section(
  {
    mode: OneOf(['read', 'edit', 'all'], {
      default: 'read',
      description:
        'What it is started with. `read`: it looks only; `edit`: it may also change files in its folders; `all`: it may use every tool. Nobody is asked. From `edit` on it can write to the project and to the tree of its file; `sandbox.write` adds more.',
    }),
    ceiling: Type.Optional(
      OneOf(['read', 'edit', 'all'], {
        description:
          'The most that a corrected launch may give it, when the first was denied something that it needs.',
        'x-default': 'the same as `mode`',
      }),
    ),
    directories: Texts({
      default: [],
      description:
        'Folders outside of the project and the watched roots that a corrected launch may give it. They must exist; relative to the project folder.',
      examples: [['../shared-library']],
    }),
  },
  {
    default: {},
    description: 'What it may do. Nothing, not even a corrected launch, goes beyond the `ceiling`.',
  },
);

const cliLimits = Section(
  {
    ...processLimits,
    cpu: Type.Optional(
      Percent({
        minimum: '1%',
        maximum: '100000%',
        description:
          'CPU time of everything the attempt starts: `50%` is half of one core, `200%` is two. A CLI that waits for its model needs next to none, but starting it takes seconds of a whole core, and so do the builds and tests that it runs.',
        examples: ['50%'],
        'x-default': 'none',
      }),
    ),
    memory: Size({
      default: '2GiB',
      minimum: '4MiB',
      description:
        'Memory of everything the attempt starts; beyond it, it is ended with `limit_exceeded`. The CLIs themselves take 0.3 to 1 GB.',
    }),
    runtime: Type.Optional(
      Duration({
        minimum: '1ms',
        description:
          'Wall time after which the attempt is ended with `limit_exceeded` and not tried again; `timeout` is for what may go better the next time.',
        'x-default': '`1h`; none where `timeout` is written',
      }),
    ),
  },
  { default: {}, description: 'Bounds of one attempt.' },
);

const keys = {
  program: Type.Optional(
    Text({
      description: 'The program, when it is not the one that the kind looks for on PATH: a name or a path.',
      examples: ['~/tools/claude'],
    }),
  ),
  model: Type.Optional(
    Text({
      description: 'The model, as the CLI calls it.',
      examples: ['sonnet'],
      'x-default': 'what the CLI takes',
    }),
  ),
  effort: Type.Optional(
    Text({
      description: 'How hard the model thinks, in the CLI’s own words.',
      examples: ['high'],
      'x-default': 'what the CLI takes',
    }),
  ),
  max_turns: Type.Optional(
    Whole({
      minimum: 1,
      maximum: 10_000,
      description: 'How many turns one attempt may take.',
      'x-default': 'what the CLI takes',
    }),
  ),
  tools: Texts({
    default: [],
    description:
      'Tools that it may use besides what `permissions.mode` allows, in the CLI’s own words. Never more than `permissions.ceiling`.',
    examples: [['Bash(npm test:*)']],
  }),
  permissions: Permissions,
  on_quota: OneOf(['wait', 'fallback', 'pause'], {
    default: 'wait',
    description:
      'When its quota is used up: `wait` for the time that it names, `fallback`: others take over as long, `pause`: until a person says `sluice agents resume NAME`.',
  }),
  ...sharedByAll,
  max_load: maxLoad('agent', 1),
  timeout: Duration({
    default: '1h',
    minimum: '1ms',
    description: 'Wall time of one attempt; then everything it started is ended.',
  }),
  ...sharedByPaid,
  budget: Type.Optional({
    ...sharedByPaid.budget,
    'x-default': '`{ usd_per_day: 20, unknown_cost: allow }`',
  } as typeof sharedByPaid.budget),
  idle_timeout: idleTimeout(
    '10m',
    ' With `reviews` on `quiet` its default is 5 min more than `quiet_trigger`.',
  ),
  circuit_breaker: circuitBreaker('off'),
  limits: cliLimits,
  max_repeats: maxRepeats(8),
  workspace,
  sandbox: CliSandbox,
  env: agentEnvironment,
};

export const CliAgent = Section(
  {
    kind: Type.Unsafe<'claude' | 'codex' | 'gemini' | 'opencode' | 'copilot'>({
      type: 'string',
      enum: ['claude', 'codex', 'gemini', 'opencode', 'copilot'],
      description:
        'The agent CLI: `claude` (Claude Code), `codex` (OpenAI Codex), `gemini` (Gemini CLI), `opencode`, `copilot` (GitHub Copilot CLI). It is started anew for each attempt, without a terminal.',
    }),
    ...keys,
  },
  {
    description:
      'Gives each piece of work to an AI coding CLI that is installed and logged in on this machine. What it prints is read as it comes; a success needs its own word for it.',
  },
);

export const PluginAgent = Section(
  {
    kind: Type.Literal('plugin', {
      description: 'An agent CLI that an npm package knows how to start and read.',
    }),
    plugin: Text({
      description:
        'The npm package that exports the kind (see [plugins](../plugins.md)): its name, or the path of its folder or file.',
      examples: ['sluice-kind-example'],
    }),
    options: Type.Unsafe<Readonly<Record<string, unknown>>>({
      type: 'object',
      default: {},
      description: 'What the package is told; it says what it understands.',
    }),
    ...keys,
  },
  { description: 'The same for an agent CLI of a package of its own.' },
);

export type CliAgentFile = Static<typeof CliAgent>;
export type PluginAgentFile = Static<typeof PluginAgent>;

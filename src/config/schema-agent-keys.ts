/**
 * The keys of agents, each described once: the branches of the kinds (`schema-agents.ts`, `schema-cli-agents.ts`) are put
 * together from these, rules, steps and the whole file share some. The file is long because it is one table.
 */
import { Type } from 'typebox';
import { predefinedCapabilities } from './capabilities.ts';
import { ratePattern } from './rate.ts';
import {
  Duration,
  Flag,
  Fraction,
  OneOf,
  Percent,
  Section,
  Size,
  Text,
  Texts,
  Tokens,
  Whole,
  WholeOr,
} from './schema-values.ts';

export const agentName = '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$';
export const headerName = "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$";

const amount = { maximum: 1_000_000 };
/** Of the whole daemon, of a rule, of an agent. */
export const budget = Type.Optional(
  Section(
    {
      usd_per_run: Type.Optional(
        Fraction({
          ...amount,
          description: 'US dollars that one job may cost, all its attempts together.',
          examples: [1],
        }),
      ),
      usd_per_day: Type.Optional(
        Fraction({ ...amount, description: 'US dollars per day (UTC).', examples: [20] }),
      ),
      tokens_per_run: Type.Optional(
        Tokens({
          description: 'Tokens that one job may use, all its attempts together.',
          examples: ['200k'],
        }),
      ),
      tokens_per_day: Type.Optional(Tokens({ description: 'Tokens per day (UTC).', examples: ['5M'] })),
      unknown_cost: OneOf(['refuse', 'allow'], {
        default: 'refuse',
        description:
          'What happens when an agent does not say what it used: `refuse` lets its further jobs wait, since a budget that is not measured cannot be kept; `allow` goes on.',
      }),
    },
    {
      description:
        'What may be spent. Work that would go beyond it waits until the next day; an attempt that crosses it is ended and keeps what it has written.',
    },
  ),
);

/** Several agents to choose from: for each file of a rule, for a step. */
export const candidates = {
  capabilities: Type.Optional(
    Texts({
      minItems: 1,
      description:
        'Instead of `agent`: what the agent must be able to do. Every agent that has all of these is a candidate.',
      examples: [['code_review']],
    }),
  ),
  select: Type.Optional(
    OneOf(['least_loaded', 'specialized', 'in_order'], {
      description:
        'How one of several agents is chosen, each time anew: `least_loaded`, then the higher `priority`, then the one with fewer other capabilities; `specialized`: the one with fewer other capabilities first; `in_order`: the first in the list that can work.',
      'x-default': '`least_loaded`',
    }),
  ),
};

/** Of an agent, or of a rule. */
export function maxLoad(what: string, byDefault: number | 'unlimited' = 'unlimited') {
  return WholeOr('unlimited', {
    default: byDefault,
    description: `How many attempts of this ${what} run at once, within \`concurrency_limits\`.`,
  });
}

/** Of an agent, or of a step. */
export const retryKeys = {
  attempts: Whole({
    default: 3,
    minimum: 1,
    maximum: 100,
    description: 'Attempts in all, the first one included.',
  }),
  initial: Duration({
    default: '1s',
    minimum: '1ms',
    description: 'Pause before the second attempt; it doubles from then on, with some jitter.',
  }),
  max: Duration({ default: '5m', minimum: '1ms', description: 'The longest pause.' }),
};

const Retry = Section(retryKeys, {
  default: {},
  description: 'How often and when a failed attempt is repeated.',
});

/** @param slow The default; a long run is normal for programs, and a sign of trouble for a service. */
export function circuitBreaker(slow: string) {
  const { properties } = Section(
    {
      error_rate: Fraction({
        default: 0.1,
        maximum: 1,
        description: 'Share of faults and slow calls among the calls of the window at which it opens.',
      }),
      minimum: Whole({
        default: 10,
        minimum: 1,
        maximum: 100_000,
        description: 'It does not open before so many calls.',
      }),
      window: Duration({ default: '5m', minimum: '1s', maximum: '1d', description: 'The calls that count.' }),
      slow: Duration({
        default: slow,
        minimum: '1ms',
        or: ['off'],
        description:
          'A call that takes longer counts as a fault. 5 s for services; `off` for programs, for which a long run is normal.',
      }),
      reset: Duration({
        default: '30s',
        minimum: '10ms',
        maximum: '10m',
        description:
          'How long it stays open before one call tries again; doubles each time that fails, up to 10 min.',
      }),
    },
    { description: '' },
  );
  return Type.Unsafe<'off' | BreakerFile>({
    type: ['object', 'string'],
    pattern: '^off$',
    properties,
    additionalProperties: false,
    default: {},
    description:
      'When an agent is left alone because it fails too often, by its own fault: not started, not reachable, not in time. Its jobs then wait or go to its `fallback`. `off` switches it off.',
  });
}
interface BreakerFile {
  readonly error_rate: number;
  readonly minimum: number;
  readonly window: string;
  readonly slow: string;
  readonly reset: string;
}

export const outputLimit = Size({
  default: '64MiB',
  description: 'An attempt that writes more than this is ended and fails with `limit_exceeded`.',
});

const capabilityKeys = {
  name: Text({ description: 'Its name.', examples: ['security_analysis'] }),
  description: Type.Optional(Text({ description: 'What it means, for people.' })),
  domains: Texts({ default: [], description: 'Fields that it is about.', examples: [['security', 'code']] }),
  tools: Texts({ default: [], description: 'Tools that it uses.', examples: [['semgrep']] }),
};
interface CapabilityFile {
  readonly name: string;
  readonly description?: string;
  readonly domains: readonly string[];
  readonly tools: readonly string[];
}

export const sharedByAll = {
  description: Type.Optional(Text({ description: 'What the agent does, for people.' })),
  type: Type.Optional(
    Text({
      description: 'What sort of agent it is, for people: planner, researcher, coder, reviewer …',
      examples: ['reviewer'],
    }),
  ),
  capabilities: Type.Unsafe<readonly (string | CapabilityFile)[]>({
    type: 'array',
    items: {
      type: ['string', 'object'],
      pattern: '\\S',
      properties: capabilityKeys,
      required: ['name'],
      additionalProperties: false,
      description: 'One of the capabilities of an agent: its name, or a mapping that says more.',
    },
    default: [],
    'x-default': 'none; of an agent CLI what its kind can do, `code_review` among it',
    description:
      'What it can do: rules and steps can name capabilities instead of an agent. Names are free; these have a meaning everywhere: ' +
      `${predefinedCapabilities.map((name) => `\`${name}\``).join(', ')}.`,
    examples: [
      ['code_review', 'error_diagnosis'],
      [{ name: 'security_analysis', domains: ['security'], tools: ['semgrep'] }],
    ],
  }),
  priority: Whole({
    default: 0,
    minimum: -1_000_000,
    maximum: 1_000_000,
    description: 'Where a rule has several agents to choose from: higher first.',
  }),
  max_load: maxLoad('agent'),
  fallback: Texts({
    default: [],
    description:
      'Agents that take over, in this order, when this one has failed for good or cannot work. The receipt says which and why.',
    examples: [['inspect']],
  }),
  timeout: Duration({
    default: '10m',
    minimum: '1ms',
    description: 'Wall time of one attempt; then everything it started is ended.',
  }),
  retry: Retry,
};

export const sharedByPaid = {
  load: Type.Optional(
    OneOf(['heavy', 'light'], {
      description:
        'Which work it is for: `light` for reviews and for small pieces of work (up to `tokens_per_task`, or 3k tokens), `heavy` for the rest. Without it either.',
    }),
  ),
  tokens_per_task: Type.Optional(
    Tokens({
      description:
        'How many tokens one piece of work should take: told to the agent, and larger inputs go to others first. No bound; that is `budget.tokens_per_run`.',
      examples: ['50k'],
    }),
  ),
  rate: Type.Optional(
    Text({
      pattern: ratePattern,
      description: 'How many attempts may begin in any second, minute, hour or day.',
      examples: ['30/min', '5/s'],
    }),
  ),
  budget,
};

export function idleTimeout(byDefault: string, more = '') {
  return Duration({
    default: byDefault,
    minimum: '1ms',
    or: ['off'],
    description: `An attempt that writes nothing for so long is ended and counts as \`stalled\`.${more}`,
  });
}

/** Of what starts a program. */
export const processLimits = {
  cpu: Type.Optional(
    Percent({
      minimum: '1%',
      maximum: '100000%',
      description: 'CPU time of everything the attempt starts: `50%` is half of one core, `200%` is two.',
      examples: ['50%'],
    }),
  ),
  memory: Type.Optional(
    Size({
      minimum: '4MiB',
      description: 'Memory of everything the attempt starts; beyond it, it is ended with `limit_exceeded`.',
      examples: ['2GiB'],
    }),
  ),
  runtime: Type.Optional(
    Duration({
      minimum: '1ms',
      description:
        'Wall time after which the attempt is ended with `limit_exceeded` and not tried again; `timeout` is for what may go better the next time.',
      examples: ['1h'],
    }),
  ),
  output: outputLimit,
  required: Flag({
    default: false,
    description:
      'Whether jobs wait where this machine cannot enforce `cpu` or `memory`. Otherwise they run, and the receipt says what was in force.',
  }),
};

export function maxRepeats(byDefault: number) {
  return WholeOr('off', {
    default: byDefault,
    minimum: 2,
    maximum: 10_000,
    description:
      'The same tool call so often in a row, in the events that the agent writes, ends the attempt as `stuck`.',
  });
}

export const workspace = OneOf(['in_place', 'copy'], {
  default: 'in_place',
  description:
    '`copy`: each attempt works on a copy of the tree, and what it changed there is put in place only after it has succeeded; `sluice undo` puts it back. `in_place`: it sees the tree itself.',
});

export const agentEnvironment = environment(
  'What the agent sees of the environment beyond the small default (PATH, HOME, LANG, TZ, proxy and certificate variables): a list of names to pass on, or a mapping of names to values; a value may hold secret references.',
);

/** Commands by their words. `rm -rf` is not among them: agents clean up their own folder, and the sandbox protects the rest. */
const blockedByDefault = ['dd', 'mkfs', 'fdisk', 'sudo', 'su', 'shutdown', 'reboot'];
const confirmedByDefault = ['git push', 'npm publish', 'pip install'];

/** @param o Defaults; `write`: in words, where it is more than nothing. */
function sandboxKeys({
  network,
  mode,
  write,
}: {
  readonly network: 'none' | 'allow';
  readonly mode: string;
  readonly write?: string;
}) {
  return {
    mode: Type.Optional(
      OneOf(['auto', 'required', 'off'], {
        description:
          '`required`: jobs wait where it cannot be confined. `auto`: it then runs all the same, with a condition. `off`: it is not confined, and `reason` says why.',
        'x-default': mode,
      }),
    ),
    write: Texts({
      default: [],
      ...(write !== undefined && { 'x-default': write }),
      description:
        'What it may write to besides the folder of its job: `workspace` (the tree that the file lies in), `project`, or paths.',
      examples: [['workspace'], ['./cache']],
    }),
    network: Type.Unsafe<string | readonly string[]>({
      type: ['string', 'array'],
      pattern: '^(none|allow)$',
      items: { type: 'string', pattern: '\\S' },
      default: network,
      description: 'What it reaches: `none`, `allow` (everything), or a list of hosts.',
      examples: ['none', ['api.example.com', '*.example.org']],
    }),
    blocked: Texts({
      default: blockedByDefault,
      description:
        'Commands that it may not run, by their first words. A list replaces these, `[]` allows all.',
      examples: [['dd', 'docker run']],
    }),
    confirm: Texts({
      default: confirmedByDefault,
      description:
        'Commands for which it needs `sluice jobs approve`, by their first words. A list replaces these, `[]` asks for none.',
    }),
    reason: Type.Optional(
      Text({
        description: 'With `mode: off`: why that is acceptable here; the receipt repeats it.',
        examples: ['only reads, written by us'],
      }),
    ),
  };
}
export const Sandbox = Section(
  sandboxKeys({ network: 'none', mode: '`required` where a `sandbox` is written, else `auto`' }),
  { description: 'What the program may see, write and reach.' },
);

/** Of agent CLIs: they cannot do without their model, and are never run unconfined by accident. */
export const CliSandbox = Section(
  sandboxKeys({
    network: 'allow',
    mode: '`required`',
    write:
      'nothing; whatever it says, the folders that `permissions` let it change are writable, from `edit` on',
  }),
  {
    default: {},
    description:
      'What the CLI and everything it starts may see, write and reach. Its own log-in and sessions in the home are there, the rest of the home is not.',
  },
);

export const SandboxOff = Section(
  {
    // The other modes are refused where the configuration is resolved: with the reason instead of a list of one.
    mode: Type.Optional(
      OneOf(['auto', 'required', 'off'], {
        description: 'Only `off` says what is true: nothing is started here that could be confined.',
      }),
    ),
    reason: Type.Optional(Text({ description: 'Why that is acceptable here; the receipt repeats it.' })),
  },
  { description: 'States that the service is not confined, and why.' },
);

/** Of command agents, of workflows and their steps. */
export function environment(description: string) {
  return Type.Unsafe<readonly string[] | Readonly<Record<string, string>>>({
    type: ['array', 'object'],
    items: { type: 'string', pattern: '\\S' },
    propertyNames: { pattern: '^[A-Za-z_][A-Za-z0-9_]*$' },
    additionalProperties: { type: 'string' },
    default: [],
    description,
    examples: [['LANG', 'TZ'], { API_KEY: '${env:API_KEY}' }],
  });
}

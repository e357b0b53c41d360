/**
 * The configuration file: the one source of its types, its validator, its defaults, the JSON Schema for editors and the
 * reference page. `scripts/generate.ts` makes all of these from it; at run time nothing imports it (typebox takes 70 ms to
 * load), only its types.
 *
 * Habits: a key that is not optional here has a default (the generator takes it out of `required`), so the static type is
 * that of a file with its defaults filled in. Where one key takes two shapes it has two JSON types, never `anyOf`: the
 * errors of an `anyOf` cannot be told apart. The file is long because it is one table; agents stand in `schema-agents.ts`,
 * the forms of values in `schema-values.ts`.
 */
import { type Static, Type } from 'typebox';
import { datePattern } from './dates.ts';
import { agentName, budget, candidates, maxLoad } from './schema-agent-keys.ts';
import { Agent } from './schema-agents.ts';
import { Expect } from './schema-expect.ts';
import { Reviews } from './schema-reviews.ts';
import { Schedule } from './schema-schedule.ts';
import {
  Amount,
  Duration,
  Flag,
  Fraction,
  longestAge,
  Named,
  OneOf,
  Percent,
  Section,
  Size,
  Text,
  TextOrTexts,
  Texts,
  Whole,
  WholeOr,
} from './schema-values.ts';

const price = { maximum: 1_000_000 };

const Root = Section(
  {
    path: Text({
      description:
        'Folder to watch, with everything below it. Relative to the project folder; `~/` is your home folder.',
      examples: ['./inbox'],
    }),
    name: Type.Optional(
      Text({
        pattern: '^(?!\\.{1,2}$)[^/\\\\\\u0000-\\u001f]{1,100}$',
        description: 'Unique name of the root; its results stand in `files/<name>/` of the output folder.',
        'x-default': 'the folder’s name',
      }),
    ),
    ignore: Texts({
      default: [],
      description:
        'Patterns of files and folders to leave alone, in gitignore syntax, relative to the root. A `.sluiceignore` file in the tree adds to them.',
      examples: [['drafts/**']],
    }),
    default_ignore: Type.Unsafe<boolean | readonly string[]>({
      type: ['boolean', 'array'],
      items: { type: 'string', pattern: '\\S' },
      default: true,
      description:
        'The built-in ignore patterns (temporary files of editors and downloads, version control, `node_modules`; `sluice config show` prints them). `false` switches them off, a list replaces them.',
    }),
    mode: OneOf(['auto', 'native', 'portable', 'poll'], {
      default: 'auto',
      description:
        'Where changes are learned from. `auto` takes the best that works on this mount; `poll` only re-scans, for mounts that deliver no events.',
    }),
    settle: Duration({
      default: 'auto',
      or: ['auto'],
      description:
        'When a file counts as complete. `auto`: once its writer has closed it or, where that cannot be known, once size and time stand still; a duration: after it stood still for so long.',
    }),
    ready: Type.Optional(
      Text({
        description:
          'Name of a marker file that must stand beside a file before it is taken: `{name}` is the file’s name, `{stem}` the same without its extension. Markers themselves are not processed.',
        examples: ['{name}.done'],
      }),
    ),
    sweep: Duration({
      default: '60s',
      minimum: '100ms',
      description:
        'How often the whole tree is compared with what is known, so that nothing is lost when the system drops an event.',
    }),
    initial: OneOf(['ask', 'process', 'ignore'], {
      default: 'ask',
      description:
        'What happens with the files that are there when the root is first watched. `ask`: they are processed, but more than 50 for an agent with a budget in money are held with an estimate; `process`: all are processed; `ignore`: none.',
    }),
    on_change: OneOf(['queue', 'restart', 'ignore'], {
      default: 'queue',
      description:
        'A file changes while its job runs: `queue` processes it again afterwards, `restart` ends the job and starts anew, `ignore` leaves it.',
    }),
    on: Type.Unsafe<readonly ('added' | 'changed')[]>({
      type: 'array',
      items: { type: 'string', enum: ['added', 'changed'] },
      minItems: 1,
      default: ['added', 'changed'],
      description: 'Which changes start work.',
    }),
  },
  { description: 'One watched folder tree.' },
);

const Batch = Type.Optional(
  Section(
    {
      max_files: WholeOr('auto', {
        default: 20,
        minimum: 2,
        maximum: 10_000,
        description:
          'How many files one attempt gets at most; `auto` begins with few and adapts to what the agent manages.',
      }),
      quiet: Duration({
        default: '2s',
        minimum: '10ms',
        maximum: '1h',
        description: 'A batch that is not full starts when no further file came for so long.',
      }),
      on_failure: OneOf(['bisect', 'fail'], {
        default: 'bisect',
        description:
          'When an attempt fails as a whole: `bisect` tries its halves, so that one bad file does not sink the others; `fail` fails every file of it.',
      }),
      by: OneOf(['files', 'folder'], {
        default: 'files',
        description:
          '`folder`: everything below one folder of the root is one batch, whatever its number: a dropped folder is one unit.',
      }),
    },
    {
      description:
        'One attempt for many files of one root, each with its own receipt. For agents that start a program.',
    },
  ),
);

const Rule = Section(
  {
    pattern: TextOrTexts({
      description:
        'A glob or a list of globs, relative to the root, with `/`. One that starts with `!` only takes away.',
      examples: ['**/*.py', ['**/*.js', '!**/*.min.js']],
    }),
    name: Type.Optional(
      Text({
        pattern: '^[^\\u0000-\\u001f]{1,200}$',
        description: 'Unique name of the rule, in receipts and in `sluice why`.',
        'x-default': 'the pattern',
      }),
    ),
    agent: Type.Optional(
      TextOrTexts({
        description:
          'The agent that gets the file: a name under `agents` or `watcher_endpoints`; or a list of names to choose from.',
        examples: ['lint', ['lint-a', 'lint-b']],
      }),
    ),
    ...candidates,
    watcher: Type.Optional(Text({ description: 'The same as `agent`; write one of the two.' })),
    workflow: Type.Optional(
      Text({
        description:
          'Instead of an agent: the workflow that is run for each file, by its name or the stem of its file. `${{ file.path }}` and its like are the file.',
        examples: ['code-quality'],
      }),
    ),
    action: Type.Optional(
      OneOf(['quarantine', 'ignore'], {
        description:
          'Instead of an agent: `quarantine` sets a copy of the file aside in the output folder, `ignore` records that it was left alone.',
      }),
    ),
    priority: Whole({
      default: 0,
      minimum: -1_000_000,
      maximum: 1_000_000,
      description:
        'Rules with a higher priority are tried first, and their jobs run first; equal ones in the order of the file.',
    }),
    prompt: Type.Optional(
      Text({ description: 'Text for the agent. `${{ file.path }}` and its like are filled in.' }),
    ),
    prompt_file: Type.Optional(
      Text({ description: 'A text file to take the prompt from, relative to the project folder.' }),
    ),
    expect: Expect,
    cache: Type.Optional(
      OneOf(['content', 'path', 'off'], {
        description:
          'When an earlier result is taken instead of running again: for the same content, for the same content at the same path, or never (for agents with side effects).',
        'x-default': '`content`; with `workflow` `path`: its steps do something with this very file',
      }),
    ),
    max_input: Size({
      default: 'unlimited',
      or: ['unlimited'],
      description: 'Larger files are not processed: their jobs are `failed` with `input_too_large`.',
    }),
    max_load: maxLoad('rule'),
    batch: Batch,
    budget,
    review: Type.Optional(
      Flag({
        description: 'Whether `reviews` hold for work of this rule.',
        'x-default': '`true` where an agent CLI does it',
      }),
    ),
  },
  { description: 'Which files go where. The first rule that matches wins.' },
);

const Price = Section(
  {
    model: Text({
      description: 'The model; `*` stands for anything, upper and lower case are the same.',
      examples: ['gpt-5*'],
    }),
    from: Type.Optional(
      Text({
        pattern: datePattern,
        description:
          'The day (UTC) from which on it holds. Of several for one model, the latest that has come.',
        examples: ['2026-07-01'],
        'x-default': 'always',
      }),
    ),
    input: Amount({ ...price, description: 'Input that was not in the cache.', examples: [1.25] }),
    cache_read: Type.Optional(
      Amount({
        ...price,
        description: 'Input from the cache.',
        examples: [0.125],
        'x-default': 'as `input`',
      }),
    ),
    cache_write: Type.Optional(
      Amount({ ...price, description: 'Input that went into the cache.', 'x-default': 'as `input`' }),
    ),
    output: Amount({ ...price, description: 'Output, with what the model thinks.', examples: [10] }),
  },
  { description: 'What a model costs, in US dollars for a million tokens each.' },
);

const Alert = Section(
  {
    on: TextOrTexts({
      description:
        'Codes of conditions (`DISK_LOW`, `BREAKER_OPEN` …, see [errors](../errors.md)), `all`, `digest` (a summary once a day) or `success` (each job that succeeded).',
      examples: [['ERROR_RATE', 'DISK_LOW'], 'all'],
    }),
    webhook: Text({
      description: 'Where it is sent by HTTP POST. May hold secret references.',
      examples: ['${env:ALERT_URL}'],
    }),
    format: OneOf(['json', 'slack', 'discord', 'ntfy'], {
      default: 'json',
      description: 'The form of the message.',
    }),
    min_interval: Duration({
      default: '5m',
      description: 'The same condition of the same thing is not sent more often than this.',
    }),
  },
  { description: 'Who is told about what.' },
);

export const ConfigFileSchema = Section(
  {
    version: Type.Literal(1, { default: 1, description: 'Version of this file’s format.' }),
    watch: Type.Array(Root, {
      minItems: 1,
      default: [{ path: './inbox' }],
      description: 'The folders to watch. In nested roots the innermost owns a file.',
    }),
    routing_rules: Type.Array(Rule, { default: [], description: 'Which files go to which agent.' }),
    agents: Type.Unsafe<AgentsFile | 'auto'>({
      type: ['object', 'string'],
      pattern: '^auto$',
      propertyNames: { pattern: agentName },
      additionalProperties: Agent,
      default: {},
      description:
        'What can do work on files, by name. `auto`: the agent CLIs and tools that stand on PATH when the configuration is read, under names that `sluice agents list` shows, and the built-in `inspect`.',
    }),
    watcher_endpoints: Named<string>(
      agentName,
      { type: 'string', pattern: '\\S' },
      {
        default: {},
        description: 'Short form of `http` agents: name and URL.',
        examples: [{ 'python-analyzer': 'http://localhost:8001' }],
      },
    ),
    workflows: Type.Unsafe<readonly (string | object)[]>({
      type: 'array',
      items: { type: ['string', 'object'], pattern: '\\S' },
      default: ['./workflows/*.yaml', './workflows/*.yml', './workflows/*.json'],
      description:
        'Workflows: globs of files (relative to the project folder; one that starts with `!` only takes away), or [definitions](workflow.md) in place.',
      examples: [['./workflows/*.yaml']],
    }),
    schedules: Type.Array(Schedule, { default: [], description: 'When workflows start by themselves.' }),
    concurrency_limits: Section(
      {
        max_processes: Type.Optional(
          Whole({
            minimum: 1,
            maximum: 1024,
            description: 'How many attempts run at once.',
            'x-default': 'the number of cores',
          }),
        ),
        max_concurrent_files: Type.Optional(
          Whole({
            minimum: 1,
            maximum: 100_000,
            description:
              'How many files are in work at once; a batch counts as its number of files, and is cut to this.',
            'x-default': 'twice max_processes; with batches enough for a full one in each process',
          }),
        ),
      },
      { default: {}, description: 'Limits of the whole daemon; they hold at every instant.' },
    ),
    budget,
    prices: Type.Array(Price, {
      default: [],
      description:
        'What models cost, for agents that do not say it themselves. The first whose `model` fits holds; without one the cost is unknown.',
    }),
    reviews: Reviews,
    alerts: Type.Array(Alert, {
      default: [],
      description:
        'Messages about conditions: sent beside the work, repeated when they fail, never in its way.',
    }),
    thresholds: Section(
      {
        error_rate: Fraction({
          default: 0.25,
          maximum: 1,
          description:
            'Share of failed among the jobs that ended within `window`: the condition `ERROR_RATE`.',
        }),
        minimum: Whole({
          default: 20,
          minimum: 1,
          maximum: 1_000_000,
          description: 'Not before so many jobs ended within `window`.',
        }),
        window: Duration({
          default: '15m',
          minimum: '10s',
          maximum: '1d',
          description: 'The time that `error_rate` looks back.',
        }),
        delay: Duration({
          default: '15m',
          minimum: '1s',
          description: 'The oldest job that could run waits for longer than this: the condition `DELAY`.',
        }),
        free_memory: Percent({
          default: '5%',
          maximum: '99%',
          description: 'The free memory of the machine is below this share: the condition `RESOURCES_LOW`.',
        }),
      },
      { default: {}, description: 'When numbers become conditions, which `status` shows and `alerts` send.' },
    ),
    output_settings: Section(
      {
        default_output_dir: Text({
          default: './processed',
          description: 'Where results, receipts and the overview appear. Relative to the project folder.',
        }),
        preserve_original: Flag({
          default: true,
          description:
            '`true` leaves inputs untouched; `false` moves them to `archive/` of the output folder once they have succeeded.',
        }),
        log_level: Text({
          pattern:
            '^([Dd][Ee][Bb][Uu][Gg]|[Ii][Nn][Ff][Oo]|[Ww][Aa][Rr][Nn][Ii][Nn][Gg]|[Ee][Rr][Rr][Oo][Rr]|[Cc][Rr][Ii][Tt][Ii][Cc][Aa][Ll])$',
          default: 'INFO',
          examples: ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'],
          description:
            'The least important messages that are logged: `DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`, in any case.',
        }),
        retention: Duration({
          default: '30d',
          minimum: '1s',
          maximum: longestAge,
          description: 'How long ended jobs and older results are kept; the latest result of a file stays.',
        }),
        retention_jobs: WholeOr('unlimited', {
          default: 'unlimited',
          maximum: 1_000_000_000,
          description: 'How many ended jobs are kept at most, the newest first.',
        }),
        file_mode: Text({
          pattern: '^0?[0-7]{3}$',
          default: '0644',
          description: 'Permissions of the files we write into the output folder, octal and in quotes.',
        }),
      },
      { default: {}, description: 'What comes out, and where.' },
    ),
    cache: Section(
      {
        ttl: Duration({
          default: '30d',
          minimum: '1s',
          maximum: longestAge,
          description: 'How long a result may stand in for running again.',
        }),
        max_bytes: Size({
          default: '2GiB',
          description: 'How much space kept results may take; the oldest go first.',
        }),
      },
      { default: {}, description: 'Results that are reused for the same content and recipe.' },
    ),
    daemon: Section(
      {
        drain: Duration({
          default: '10s',
          description: 'How long running attempts may go on after a stop was asked for.',
        }),
        min_free_disk: Size({
          default: '1GiB',
          minimum: '0B',
          description: 'With less free space than this no new work is started.',
        }),
        max_depth: Whole({
          default: 5,
          minimum: 0,
          maximum: 1000,
          description:
            'A file that descends from what agents wrote in more steps than this is `held` until a person decides.',
        }),
        max_log_bytes: Size({
          default: '60MiB',
          minimum: '1MiB',
          description: 'How much space the log files take together; the oldest go first.',
        }),
      },
      { default: {}, description: 'The background process.' },
    ),
  },
  {
    description:
      'Configuration of Sluice: which folders are watched, which files go where, and what may run.',
  },
);

/** A file with its defaults filled in. */
export type ConfigFile = Static<typeof ConfigFileSchema>;
export type RootFile = Static<typeof Root>;
export type RuleFile = Static<typeof Rule>;
export type AgentFile = Static<typeof Agent>;
export type AgentsFile = Readonly<Record<string, AgentFile>>;

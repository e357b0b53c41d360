/**
 * The configuration file: the one source of its types, its validator, its defaults, the JSON Schema for editors and the
 * reference page. `scripts/generate.ts` makes all of these from it; at run time nothing imports it (typebox takes 70 ms to
 * load), only its types.
 *
 * Habits: a key that is not optional here has a default (the generator takes it out of `required`), so the static type is
 * that of a file with its defaults filled in. Where one key takes two shapes it has two JSON types, never `anyOf`: the
 * errors of an `anyOf` cannot be told apart. The file is long because it is one table: every key there is, in one place. `x-duration` and `x-size` are ours; the words in `or` stand for "none".
 */
import { type Static, type TSchema, Type } from 'typebox';

interface Meta<T> {
  readonly description: string;
  readonly default?: T;
  readonly examples?: readonly unknown[];
  /** For defaults that depend on the machine or on other keys: shown, not filled in. */
  readonly 'x-default'?: string;
}
interface Bounds extends Meta<string> {
  readonly minimum?: string;
  readonly maximum?: string;
  readonly or?: readonly string[];
}

// Timers of the platform end at 2^31 - 1 ms: waits are bounded below that, ages are not.
const longestWait = '24d';
const longestAge = '36500d';

function Duration({ minimum = '0s', maximum = longestWait, or = [], ...meta }: Bounds) {
  return Type.Unsafe<string>({ type: 'string', ...meta, 'x-duration': { minimum, maximum, or } });
}
function Size({ minimum = '1B', maximum = '4096TiB', or = [], ...meta }: Bounds) {
  return Type.Unsafe<string>({ type: 'string', ...meta, 'x-size': { minimum, maximum, or } });
}
function Text(meta: Meta<string> & { readonly pattern?: string }) {
  return Type.Unsafe<string>({ type: 'string', pattern: '\\S', ...meta });
}
function Texts(meta: Meta<readonly string[]> & { readonly minItems?: number }) {
  return Type.Unsafe<readonly string[]>({
    type: 'array',
    items: { type: 'string', pattern: '\\S' },
    ...meta,
  });
}
function TextOrTexts(meta: Meta<string>) {
  return Type.Unsafe<string | readonly string[]>({
    type: ['string', 'array'],
    pattern: '\\S',
    items: { type: 'string' },
    minItems: 1,
    ...meta,
  });
}
function OneOf<const T extends string>(values: readonly T[], meta: Meta<T>) {
  return Type.Unsafe<T>({ type: 'string', enum: values, ...meta });
}
function Flag(meta: Meta<boolean>) {
  return Type.Unsafe<boolean>({ type: 'boolean', ...meta });
}
function Whole(meta: Meta<number> & { readonly minimum?: number; readonly maximum?: number }) {
  return Type.Unsafe<number>({ type: 'integer', ...meta });
}
function Section<const P extends Record<string, TSchema>>(properties: P, meta: Meta<object>) {
  return Type.Object(properties, { additionalProperties: false, ...meta });
}
/** A mapping with free keys. `keys`: what they may look like. */
function Named<T>(keys: string, value: object, meta: Meta<object>) {
  return Type.Unsafe<Readonly<Record<string, T>>>({
    type: 'object',
    propertyNames: { pattern: keys },
    additionalProperties: value,
    ...meta,
  });
}

const agentName = '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$';
const headerName = "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$";

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
    initial: OneOf(['process', 'ignore'], {
      default: 'process',
      description: 'What happens with the files that are there at the first start.',
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

const Expect = Section(
  {
    outputs: Texts({
      default: [],
      description:
        'Files (globs are allowed) that must be in the output folder of the job (`$SLUICE_OUTPUT_DIR`) and not be empty when it ends; without them it is `failed` with `missing_output`.',
      examples: [['review.json']],
    }),
    json_schema: Type.Optional(
      Text({
        description:
          'A JSON Schema file, relative to the project folder. The JSON files among `outputs`, or the result itself when `outputs` is empty, must satisfy it; otherwise the job is `failed` with `schema_invalid`.',
        examples: ['schemas/review.json'],
      }),
    ),
  },
  {
    default: {},
    description: 'What a job must produce to count as succeeded, beyond its exit code or HTTP status.',
  },
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
      Text({ description: 'The agent that gets the file: a name under `agents` or `watcher_endpoints`.' }),
    ),
    watcher: Type.Optional(Text({ description: 'The same as `agent`; write one of the two.' })),
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
    cache: OneOf(['content', 'path', 'off'], {
      default: 'content',
      description:
        'When an earlier result is taken instead of running again: for the same content, for the same content at the same path, or never (for agents with side effects).',
    }),
    max_input: Size({
      default: 'unlimited',
      or: ['unlimited'],
      description: 'Larger files are not processed: their jobs are `failed` with `input_too_large`.',
    }),
  },
  { description: 'Which files go where. The first rule that matches wins.' },
);

const Retry = Section(
  {
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
  },
  { default: {}, description: 'How often and when a failed attempt is repeated.' },
);

const shared = {
  description: Type.Optional(Text({ description: 'What the agent does, for people.' })),
  max_load: Type.Unsafe<number | 'unlimited'>({
    type: ['integer', 'string'],
    minimum: 1,
    pattern: '^unlimited$',
    default: 'unlimited',
    description: 'How many jobs of this agent run at once, within `concurrency_limits`.',
  }),
  timeout: Duration({
    default: '10m',
    minimum: '1ms',
    description: 'Wall time of one attempt; then everything it started is ended.',
  }),
  idle_timeout: Duration({
    default: 'off',
    minimum: '1ms',
    or: ['off'],
    description: 'An attempt that writes nothing for so long is ended and counts as `stalled`.',
  }),
  retry: Retry,
  limits: Section(
    {
      output: Size({
        default: '64MiB',
        description: 'An attempt that writes more than this is ended and fails with `limit_exceeded`.',
      }),
    },
    { default: {}, description: 'Bounds of one attempt.' },
  ),
  env: Type.Unsafe<readonly string[] | Readonly<Record<string, string>>>({
    type: ['array', 'object'],
    items: { type: 'string', pattern: '\\S' },
    propertyNames: { pattern: '^[A-Za-z_][A-Za-z0-9_]*$' },
    additionalProperties: { type: 'string' },
    default: [],
    description:
      'What the agent sees of the environment beyond the small default (PATH, HOME, LANG, TZ, proxy and certificate variables): a list of names to pass on, or a mapping of names to values; a value may hold secret references.',
    examples: [['LANG', 'TZ'], { API_KEY: '${env:API_KEY}' }],
  }),
  sandbox: Type.Optional(
    Section(
      {
        mode: OneOf(['off'], {
          description: 'Only `off`: this version does not confine agents.',
        } as Meta<'off'>),
        reason: Text({
          description: 'Why that is acceptable here; the receipt repeats it.',
          examples: ['only reads, written by us'],
        }),
      },
      { description: 'States that the agent runs without confinement, and why.' },
    ),
  ),
};

const CommandAgent = Section(
  {
    kind: Type.Literal('command', { description: 'A program that is started for each file.' }),
    command: TextOrTexts({
      description:
        'Program and arguments as a list, or one string that is split into words as a shell would, quotes included. No shell runs it. `${{ file.path }}` and its like are filled in and stay one argument.',
      examples: [['npx', 'eslint', '${{ file.path }}'], 'python3 analyze.py "${{ file.path }}"'],
    }),
    ...shared,
  },
  { description: 'Starts a program for each file.' },
);

const { env: _env, ...sharedByHttp } = shared;
const { sandbox: _sandbox, idle_timeout: _idle, ...sharedByAll } = sharedByHttp;

const HttpAgent = Section(
  {
    kind: Type.Literal('http', { description: 'A service that gets each file by HTTP POST.' }),
    url: Text({
      description: 'Where the file is sent, as multipart/form-data. May hold secret references.',
      examples: ['http://127.0.0.1:9000/ocr'],
    }),
    headers: Named<string>(
      headerName,
      { type: 'string' },
      {
        default: {},
        description: 'Headers to send along; values may hold secret references.',
        examples: [{ Authorization: 'Bearer ${env:OCR_TOKEN}' }],
      },
    ),
    ...sharedByHttp,
  },
  { description: 'Sends each file to a service.' },
);

const BuiltinAgent = Section(
  {
    kind: Type.Literal('builtin', { description: 'The inspector that comes with Sluice.' }),
    ...sharedByAll,
  },
  { description: 'Describes any file: type, structure, problems. No network, no keys, no programs.' },
);

/** One branch per kind. `discriminator` makes the validator report only the errors of the kind that is written. */
export const Agent = Type.Unsafe<
  Static<typeof CommandAgent> | Static<typeof HttpAgent> | Static<typeof BuiltinAgent>
>({
  type: 'object',
  discriminator: { propertyName: 'kind' },
  oneOf: [CommandAgent, HttpAgent, BuiltinAgent],
});

export const ConfigFileSchema = Section(
  {
    version: Type.Literal(1, { default: 1, description: 'Version of this file’s format.' }),
    watch: Type.Array(Root, {
      minItems: 1,
      default: [{ path: './inbox' }],
      description: 'The folders to watch. In nested roots the innermost owns a file.',
    }),
    routing_rules: Type.Array(Rule, { default: [], description: 'Which files go to which agent.' }),
    agents: Named<Static<typeof Agent>>(agentName, Agent, {
      default: {},
      description: 'What can do work on files, by name.',
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
            description: 'How many files are in work at once, waiting for their attempt included.',
            'x-default': 'twice max_processes',
          }),
        ),
      },
      { default: {}, description: 'Limits of the whole daemon; they hold at every instant.' },
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

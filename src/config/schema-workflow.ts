/**
 * A workflow's definition: the one source of its types, its validator, its defaults, the JSON Schema for editors and the
 * reference page. As with `schema.ts`, nothing at run time imports it but its types. Each type of step has only the keys
 * that act on it, so that editors say so too. The file is long because it is one table.
 */
import { type Static, type TSchema, Type } from 'typebox';
import { candidates, environment, headerName, retryKeys, Sandbox } from './schema-agent-keys.ts';
import { Expect } from './schema-expect.ts';
import { reviewTerms } from './schema-reviews.ts';
import { scheduleKeys } from './schema-schedule.ts';
import {
  Duration,
  Flag,
  type Meta,
  Named,
  OneOf,
  Section,
  Text,
  TextOrTexts,
  Texts,
  Whole,
} from './schema-values.ts';

/** Of workflows and steps: they are names of folders. */
export const folderName = '^(?=.*\\S)(?!\\.{1,2}$)[^/\\u0000-\\u001f\\u007f]{1,100}$';
/** Of inputs and outputs: they are written behind a dot. */
export const valueName = '^[A-Za-z_][A-Za-z0-9_-]{0,99}$';

function outputs(of: string) {
  return Named<string>(
    valueName,
    { type: 'string' },
    {
      default: {},
      description: of,
      examples: [{ count: '${{ fromJSON(result).count }}' }],
    },
  );
}

/** Values of any kind, by name. */
function Values(meta: Meta<object>) {
  return Type.Unsafe<Readonly<Record<string, unknown>>>({ type: 'object', ...meta });
}

const everyStep = {
  needs: Type.Optional(
    Type.Unsafe<string | readonly string[]>({
      type: ['string', 'array'],
      pattern: '\\S',
      items: { type: 'string', pattern: '\\S' },
      description:
        'Steps that must have succeeded: it starts as soon as they have, and is skipped when one has not. `[]` starts at once. Without it the step follows the one above, whatever became of that.',
      examples: ['build', ['lint', 'test']],
    }),
  ),
  if: Type.Optional(
    Type.Unsafe<string | boolean>({
      type: ['string', 'boolean'],
      pattern: '\\S',
      description:
        'An expression; when it is not true the step is skipped. `success()`, `failure()`, `always()` and `cancelled()` ask what became of the steps before.',
      examples: ["${{ inputs.deep && steps.build.outputs.count != '0' }}", '${{ always() }}'],
    }),
  ),
  for_each: Type.Optional(
    Type.Unsafe<
      | string
      | readonly unknown[]
      | { readonly items?: string | readonly unknown[]; readonly max_parallel?: number }
    >({
      type: ['string', 'array', 'object'],
      pattern: '\\S',
      properties: {
        items: Type.Unsafe<string | readonly unknown[]>({
          type: ['string', 'array'],
          pattern: '\\S',
          description: 'The list, or an expression that gives one.',
        }),
        max_parallel: Type.Optional(
          Whole({ minimum: 1, maximum: 10_000, description: 'The same as `max_parallel` of the step.' }),
        ),
      },
      required: ['items'],
      additionalProperties: false,
      description:
        'Runs the step once for each item of a list, or of an expression that gives one. `${{ item }}` is the item, `${{ index }}` its number from 0.',
      examples: ["${{ glob('data/*.csv') }}", ['de', 'fr']],
    }),
  ),
  max_parallel: Type.Optional(
    Whole({
      minimum: 1,
      maximum: 10_000,
      description: 'How many items of `for_each` are in work at once, within `concurrency_limits`.',
      'x-default': '`16`',
    }),
  ),
  outputs: outputs(
    'Values by name that other steps read as `${{ steps.NAME.outputs.X }}`; made from `result` and everything else. Without it a result that is a JSON object gives its keys.',
  ),
  continue_on_error: Flag({
    default: false,
    description: 'Whether the run goes on and can succeed, with a warning, when this step fails.',
  }),
};

const stepEnvironment = environment(
  'What it sees of the environment beyond the small default: a list of names to pass on, or a mapping of names to values; a value may hold `${{ }}` and secret references.',
);

const stepTimeout = (words: string, xDefault: string) => ({
  timeout: Type.Optional(Duration({ minimum: '1ms', description: words, 'x-default': xDefault })),
});

const retry = (attempts: string) => ({
  retry: Type.Optional(
    Type.Unsafe<number | RetryFile>({
      type: ['integer', 'object'],
      minimum: 1,
      maximum: 100,
      properties: retryKeys,
      additionalProperties: false,
      description: 'Attempts in all; or a mapping that says the pauses too.',
      examples: [3, { attempts: 5, initial: '10s' }],
      'x-default': attempts,
    }),
  ),
});
interface RetryFile {
  readonly attempts: number;
  readonly initial: string;
  readonly max: string;
}

function step<const T extends string, const P extends Record<string, TSchema>>(
  type: T,
  words: string,
  properties: P,
) {
  return Section(
    {
      name: Text({
        pattern: folderName,
        description: 'Unique name of the step in its workflow.',
        examples: ['lint'],
      }),
      type: Type.Literal(type, { description: words }),
      ...properties,
      ...everyStep,
    },
    { description: words },
  );
}

const FileProcessing = step(
  'file_processing',
  'Every file of a directory through the routing rules. In a run that a file started, files that rules send to workflows are left out.',
  {
    directory: Text({
      description: 'The directory, relative to the project folder. `${{ }}` is filled in.',
      examples: ['./src'],
    }),
    recursive: Flag({ default: true, description: 'Whether the folders below it belong to it.' }),
    ...stepTimeout(
      'When its files have not all ended after so long, those that have not are cancelled and the step fails.',
      'none',
    ),
  },
);

const Command = step('custom_command', 'A command in the project folder.', {
  command: TextOrTexts({
    description:
      'Program and arguments as a list, or one string that is split into words as a shell would, quotes included. No shell runs it. Each `${{ }}` stays inside of its argument.',
    examples: ['python generate_docs.py --source ./src', ['npx', 'eslint', '${{ item.path }}']],
  }),
  env: stepEnvironment,
  expect: Expect,
  ...retry('`1`'),
  ...stepTimeout('Wall time of one attempt; then everything it started is ended.', '`10m`'),
  cache: Type.Optional(
    Section(
      {
        inputs: Type.Unsafe<readonly string[]>({
          type: 'array',
          items: { type: 'string', pattern: '\\S' },
          minItems: 1,
          description:
            'Globs, relative to the project folder: while the command and the content of these files stay the same, it is not run again.',
          examples: [['src/**', 'package.json']],
        }),
      },
      { description: 'What decides the result of the command. Without it the command always runs.' },
    ),
  ),
  sandbox: Type.Optional(Sandbox),
});

const AgentStep = step('agent', 'Work for an agent.', {
  agent: Type.Optional(
    TextOrTexts({
      description:
        'The agent: a name under `agents` or `watcher_endpoints`; or a list of names to choose from.',
      examples: ['reviewer', ['fast', 'careful']],
    }),
  ),
  ...candidates,
  prompt: Type.Optional(Text({ description: 'Text for the agent. `${{ }}` is filled in.' })),
  prompt_file: Type.Optional(
    Text({ description: 'A text file to take the prompt from, relative to the project folder.' }),
  ),
  file: Type.Optional(
    Text({
      description: 'The file it works on, relative to the project folder.',
      examples: ['${{ item.path }}'],
      'x-default': 'the file that started the run, else the prompt itself',
    }),
  ),
  env: stepEnvironment,
  expect: Expect,
  ...retry('as its agent has it'),
  ...stepTimeout('Wall time of one attempt.', 'as its agent has it'),
  cache: Flag({
    default: true,
    description:
      'Whether an earlier result of the same agent for the same input is taken instead of running again.',
  }),
});

const HttpStep = step('http', 'An HTTP request; a status of 2xx is a success, and the body its result.', {
  url: Text({
    description: 'Where it is sent. `${{ }}` and secret references are filled in.',
    examples: ['https://example.com/build/${{ run.id }}'],
  }),
  method: Type.Optional(
    OneOf(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'], {
      description: 'The method.',
      'x-default': '`POST` with a body, else `GET`',
    }),
  ),
  headers: Named<string>(
    headerName,
    { type: 'string' },
    {
      default: {},
      description: 'Headers to send along; `${{ }}` and secret references are filled in.',
      examples: [{ Authorization: 'Bearer ${env:TOKEN}' }],
    },
  ),
  body: Type.Optional(
    Type.Unsafe<unknown>({
      description: 'The body: text as it is, anything else as JSON. `${{ }}` in its texts is filled in.',
      examples: [{ text: 'done: ${{ steps.build.outcome }}' }],
    }),
  ),
  expect: Expect,
  ...retry('`3`'),
  ...stepTimeout('How long one request may take.', '`10m`'),
});

const WorkflowStep = step(
  'workflow',
  'Another workflow, as a run of its own; its `outputs` are those of the step.',
  {
    workflow: Text({
      description: 'The workflow: its name, or the stem of its file.',
      examples: ['thumbnails'],
    }),
    with: Values({
      default: {},
      description: 'Inputs of the workflow, by name. `${{ }}` in texts is filled in.',
      examples: [{ folder: '${{ item }}' }],
    }),
    ...stepTimeout('When the run has not ended after so long it is cancelled, and the step fails.', 'none'),
  },
);

const Approval = step('approval', 'Waits for a person: `sluice workflow approve` or `reject`.', {
  message: Text({
    description: 'What is asked. `${{ }}` is filled in.',
    examples: ['Publish ${{ steps.build.outputs.version }}?'],
  }),
  ...stepTimeout('How long it waits.', 'for ever'),
  on_timeout: OneOf(['reject', 'approve'], {
    default: 'reject',
    description: 'What happens when nobody has answered within `timeout`.',
  }),
});

const Review = step(
  'review',
  'Other agents judge the work of a step. Blocking findings go back to it; what they decide is acted on.',
  {
    of: Text({
      description:
        'The step whose work it is: one above, of type `agent` or `custom_command`, without `for_each`.',
      examples: ['implement'],
    }),
    prompt: Type.Optional(
      Text({ description: 'What to look for, besides the general. `${{ }}` is filled in.' }),
    ),
    ...reviewTerms,
    ...stepTimeout('How long one round of reviews may take.', 'as the reviewers have it'),
  },
);

const Report = step('report', 'Renders a template over the results of the run into a file.', {
  template: Type.Optional(
    Text({
      description: 'The template itself, in the Liquid language.',
      examples: ['{{ steps.count.result }} files'],
    }),
  ),
  template_file: Type.Optional(
    Text({
      description: 'A file to take the template from, relative to the project folder.',
      examples: ['templates/digest.md'],
    }),
  ),
  output: Type.Optional(
    Text({
      description: 'Name of the file that is written into the outputs of the step. `${{ }}` is filled in.',
      examples: ['digest.md'],
      'x-default': 'the name of the template file without `.liquid`, else `report.md`',
    }),
  ),
  with: Values({
    default: {},
    description: 'Further values for the template, by name. `${{ }}` in texts is filled in.',
  }),
  ...stepTimeout('How long rendering may take.', '`1m`'),
});

export const stepTypes = [
  'file_processing',
  'custom_command',
  'agent',
  'http',
  'workflow',
  'approval',
  'review',
  'report',
] as const;

export type StepFile =
  | Static<typeof FileProcessing>
  | Static<typeof Command>
  | Static<typeof AgentStep>
  | Static<typeof HttpStep>
  | Static<typeof WorkflowStep>
  | Static<typeof Approval>
  | Static<typeof Review>
  | Static<typeof Report>;

/** One branch per type. `discriminator` makes the validator report only the errors of the type that is written. */
const Step = Type.Unsafe<StepFile>({
  type: 'object',
  discriminator: { propertyName: 'type' },
  oneOf: [FileProcessing, Command, AgentStep, HttpStep, WorkflowStep, Approval, Review, Report],
});

const Input = Section(
  {
    type: OneOf(['string', 'number', 'boolean', 'choice', 'json'], {
      default: 'string',
      description:
        'What it may be. `choice`: one of `options`; `json`: anything, written as JSON on the command line.',
    }),
    description: Type.Optional(Text({ description: 'What it is for, for people.' })),
    required: Flag({ default: false, description: 'Whether a run needs it to be given.' }),
    default: Type.Optional(
      Type.Unsafe<unknown>({ description: 'Its value when it is not given; without one it is null.' }),
    ),
    options: Type.Optional(
      Texts({ minItems: 1, description: 'The values of a `choice`.', examples: [['fast', 'thorough']] }),
    ),
  },
  {
    description:
      'What a run is given when it is started: `sluice workflow run NAME --input X=…`, `${{ inputs.X }}`.',
  },
);

const FileTrigger = {
  pattern: TextOrTexts({
    description: 'A glob or a list of globs, relative to the root. One that starts with `!` only takes away.',
    examples: ['**/*.csv'],
  }),
  priority: Whole({
    default: 0,
    minimum: -1_000_000,
    maximum: 1_000_000,
    description: 'As that of a routing rule; among equal ones those of the configuration come first.',
  }),
};

interface FileTriggerFile {
  readonly pattern: string | readonly string[];
  readonly priority: number;
}
const ScheduleTrigger = Section(scheduleKeys, { description: 'When it starts by itself.' });
type ScheduleKeys = Static<typeof ScheduleTrigger>;

const On = Section(
  {
    manual: Flag({
      default: true,
      description:
        'Whether people may start it (`sluice workflow run`); other workflows and schedules always may.',
    }),
    file: Type.Optional(
      Type.Unsafe<string | FileTriggerFile | readonly (string | FileTriggerFile)[]>({
        type: ['string', 'object', 'array'],
        pattern: '\\S',
        properties: FileTrigger,
        required: ['pattern'],
        additionalProperties: false,
        items: {
          type: ['string', 'object'],
          pattern: '\\S',
          properties: FileTrigger,
          required: ['pattern'],
          additionalProperties: false,
          description: 'Files that start it.',
        },
        minItems: 1,
        description:
          'Files that start it, as a routing rule after those of the configuration would: a glob, a mapping, or a list of these.',
        examples: ['*.csv', { pattern: ['**/*.jpg', '!thumbs/**'], priority: 5 }],
      }),
    ),
    schedule: Type.Optional(
      Type.Unsafe<string | ScheduleKeys | readonly (string | ScheduleKeys)[]>({
        type: ['string', 'object', 'array'],
        pattern: '\\S',
        properties: ScheduleTrigger.properties,
        required: ['cron'],
        additionalProperties: false,
        items: {
          type: ['string', 'object'],
          pattern: '\\S',
          properties: ScheduleTrigger.properties,
          required: ['cron'],
          additionalProperties: false,
          description: 'When it starts by itself.',
        },
        minItems: 1,
        description: 'When it starts by itself: `cron` alone, a mapping, or a list of these.',
        examples: ['0 7 * * 1-5', { cron: '0 7 * * *', timezone: 'Europe/Berlin' }],
      }),
    ),
  },
  { default: {}, description: 'What starts it.' },
);

export const WorkflowSchema = Section(
  {
    name: Text({
      pattern: folderName,
      description: 'Unique name of the workflow; its runs stand in `workflows/<name>/` of the output folder.',
      examples: ['Code Quality Pipeline'],
    }),
    description: Type.Optional(Text({ description: 'What it does, for people.' })),
    on: On,
    inputs: Named<Static<typeof Input>>(valueName, Input, {
      default: {},
      description: 'What a run is given when it is started, by name.',
    }),
    env: environment(
      'Environment of all its commands, agents and requests: a list of names to pass on, or a mapping of names to values; a value may hold `${{ }}` and secret references. Steps can set others.',
    ),
    concurrency: Type.Optional(
      Type.Unsafe<string | { readonly group: string; readonly cancel_in_progress: boolean }>({
        type: ['string', 'object'],
        pattern: '\\S',
        properties: {
          group: Text({
            description: 'Runs with the same text go one after another. `${{ }}` is filled in.',
          }),
          cancel_in_progress: Flag({
            default: false,
            description: 'Whether the run that is under way is cancelled instead of being waited for.',
          }),
        },
        required: ['group'],
        additionalProperties: false,
        description: 'A group of runs that go one after another: its name, or a mapping.',
        examples: ['deploy', { group: 'deploy-${{ inputs.target }}', cancel_in_progress: true }],
      }),
    ),
    timeout: Type.Optional(
      Duration({
        minimum: '1ms',
        description: 'When a run has not ended after so long, what runs is cancelled and the run fails.',
        'x-default': 'none',
      }),
    ),
    steps: Type.Array(Step, {
      minItems: 1,
      description: 'What is done. The order is that of the file, unless `needs` says another.',
    }),
    on_failure: Type.Array(Step, {
      default: [],
      description:
        'Steps that run one after another when the run has failed; what becomes of them does not change it.',
    }),
    outputs: outputs('What a run gives to a step that called it, by name; made when it has ended.'),
  },
  { description: 'A workflow: steps, what they need of each other, and what starts them.' },
);

export type WorkflowFile = Static<typeof WorkflowSchema>;
export type InputFile = Static<typeof Input>;
export type CommonStepFile = Pick<Static<typeof Approval>, keyof typeof everyStep | 'name' | 'timeout'>;
export type CommandStepFile = Static<typeof Command>;

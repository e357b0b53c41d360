/**
 * The part of the configuration's schema that describes agents: one branch per kind, each with only the keys that act on
 * it. A key that would have no effect on a kind is not in its branch, so that editors say so too; `shape.ts` words the
 * error. Keys that several have stand in `schema-agent-keys.ts`, agent CLIs in `schema-cli-agents.ts`.
 */
import { type Static, Type } from 'typebox';
import {
  agentEnvironment,
  circuitBreaker,
  headerName,
  idleTimeout,
  maxRepeats,
  outputLimit,
  processLimits,
  Sandbox,
  SandboxOff,
  sharedByAll,
  sharedByPaid,
  workspace,
} from './schema-agent-keys.ts';
import { CliAgent, type CliAgentFile, PluginAgent, type PluginAgentFile } from './schema-cli-agents.ts';
import { Named, Section, Text, TextOrTexts } from './schema-values.ts';

const boundsOfOne = 'Bounds of one attempt.';
const OutputLimits = Section({ output: outputLimit }, { default: {}, description: boundsOfOne });

const CommandAgent = Section(
  {
    kind: Type.Literal('command', { description: 'A program that is started for each file.' }),
    command: TextOrTexts({
      description:
        'Program and arguments as a list, or one string that is split into words as a shell would, quotes included. No shell runs it. `${{ file.path }}` and its like are filled in and stay one argument; `${{ files }}` as an argument of its own becomes the paths of all files of a batch.',
      examples: [['npx', 'eslint', '${{ file.path }}'], 'python3 analyze.py "${{ file.path }}"'],
    }),
    ...sharedByAll,
    ...sharedByPaid,
    idle_timeout: idleTimeout('off'),
    circuit_breaker: circuitBreaker('off'),
    limits: Section(processLimits, { default: {}, description: boundsOfOne }),
    max_repeats: maxRepeats(4),
    workspace,
    sandbox: Type.Optional(Sandbox),
    env: agentEnvironment,
  },
  { description: 'Starts a program for each file.' },
);

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
    ...sharedByAll,
    ...sharedByPaid,
    idle_timeout: idleTimeout('off'),
    circuit_breaker: circuitBreaker('5s'),
    limits: OutputLimits,
    sandbox: Type.Optional(SandboxOff),
  },
  { description: 'Sends each file to a service.' },
);

const BuiltinAgent = Section(
  {
    kind: Type.Literal('builtin', { description: 'The inspector that comes with Sluice.' }),
    ...sharedByAll,
    circuit_breaker: circuitBreaker('off'),
    limits: OutputLimits,
  },
  { description: 'Describes any file: type, structure, problems. No network, no keys, no programs.' },
);

export type CommandAgentFile = Static<typeof CommandAgent>;

export type AgentFile =
  | CommandAgentFile
  | Static<typeof HttpAgent>
  | Static<typeof BuiltinAgent>
  | CliAgentFile
  | PluginAgentFile;

/** One branch per kind. `discriminator` makes the validator report only the errors of the kind that is written. */
export const Agent = Type.Unsafe<AgentFile>({
  type: 'object',
  discriminator: { propertyName: 'kind' },
  oneOf: [CliAgent, PluginAgent, CommandAgent, HttpAgent, BuiltinAgent],
});

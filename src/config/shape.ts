/**
 * Checks the shape of the data with the generated validator, fills in defaults, and turns what the validator found into
 * findings a person can act on. What is wrong is taken out of the data, so that the checks after this one see only values
 * of the right type.
 */
import { cliKinds } from './config.ts';
import type { Loose } from './resolving.ts';
import type { AgentFile } from './schema.ts';
import type { CommandAgentFile } from './schema-agents.ts';
import { advice, describePlace, example, expectation, labelOf, sentence, show } from './shape-words.ts';
import type { Findings, Path } from './source.ts';
import { suggest } from './suggest.ts';
import { isMapping } from './unsupported.ts';
import { validate } from './validate.generated.ts';

type Schema = Readonly<Record<string, unknown>>;

/** An error of the generated validator (ajv's form). */
export interface ShapeError {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly parentSchema: Schema;
  readonly data: unknown;
  readonly propertyName?: string;
}

export interface ShapeValidator {
  (data: unknown): boolean;
  errors?: readonly ShapeError[] | null;
}

/** What is checked, and how its parts are called in messages. */
export interface ShapeForm {
  readonly validate: ShapeValidator;
  /** Where the data stands in its file. */
  readonly at: Path;
  /** The thing a path lies in, for "unknown key in …"; '' for the whole. */
  readonly place: (path: Path, data: unknown) => string;
  readonly label: (path: Path, data: unknown) => string;
  /** The key that decides which keys there are. */
  readonly tag: {
    readonly key: string;
    readonly values: readonly string[];
    readonly guess: (data: unknown) => string;
  };
  /** A key that exists and means nothing here. */
  readonly noEffect: (
    key: string,
    path: Path,
    data: unknown,
  ) => { readonly message: string; readonly fix: string } | undefined;
  /** What to do with a key that belongs somewhere else. */
  readonly elsewhere: (key: string, path: Path, data: unknown) => string | undefined;
}

const configForm: ShapeForm = {
  validate,
  at: [],
  place: describePlace,
  label: labelOf,
  tag: { key: 'kind', values: [...cliKinds, 'command', 'http', 'builtin'], guess: guessKind },
  noEffect,
  elsewhere: otherKind,
};

/** @param data Changed: defaults are added, invalid parts removed. */
export function checkShape(
  data: Record<string, unknown>,
  findings: Findings,
  form: ShapeForm = configForm,
): void {
  if (form.validate(data)) return;
  const all = (form.validate.errors ?? []).filter((error) => error.propertyName === undefined);
  // What stands under a name that cannot be is not looked into.
  const misnamed = all.flatMap((error) =>
    error.keyword === 'propertyNames'
      ? [`${error.instancePath}/${escapePointer(String(error.params.propertyName))}`]
      : [],
  );
  const errors = all.filter(
    ({ instancePath }) =>
      !misnamed.some((path) => instancePath === path || instancePath.startsWith(`${path}/`)),
  );
  // A value of the wrong type is none of those that are allowed, either.
  const wrong = new Set(errors.flatMap((error) => (error.keyword === 'type' ? [error.instancePath] : [])));
  const told = errors.filter(({ keyword, instancePath }) => keyword === 'type' || !wrong.has(instancePath));
  const placed = told.map((error) => ({ error, path: pathOf(error.instancePath, data) }));
  for (const { error, path } of placed) report(error, path, data, findings, form);
  for (const { error, path } of placed) prune(data, error, path);
}

/** A valid agent with every default that the schema has for its kind. */
export function agentDefaults<A extends { readonly kind: string }>(agent: A): Loose<AgentFile> {
  const filled = structuredClone(agent);
  validate({ agents: { agent: filled } });
  return filled as unknown as Loose<AgentFile>;
}

/** A sandbox as it is when none is written. */
export function sandboxDefaults(): Loose<NonNullable<CommandAgentFile['sandbox']>> {
  const agent = agentDefaults({ kind: 'command', command: ['true'], sandbox: {} });
  return (agent as { sandbox: Loose<NonNullable<CommandAgentFile['sandbox']>> }).sandbox;
}

function report(error: ShapeError, path: Path, data: unknown, findings: Findings, form: ShapeForm): void {
  const at = [...form.at, ...path];
  const { params, parentSchema: schema } = error;
  const here = form.place(path, data);
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(params.additionalProperty);
      const allowed = Object.keys((schema.properties as Schema | undefined) ?? {});
      const without = form.noEffect(key, path, data);
      findings.add(
        'error',
        without ? 'CONFLICT' : 'UNKNOWN_KEY',
        { path: [...at, key], key: true },
        without?.message ?? `unknown key "${key}"${here && ` in ${here}`}`,
        without?.fix ?? form.elsewhere(key, path, data) ?? suggest(key, allowed, 'Allowed keys'),
      );
      return;
    }
    case 'required': {
      const key = String(params.missingProperty);
      const part = (schema.properties as Record<string, Schema>)[key];
      findings.add(
        'error',
        'MISSING_KEY',
        { path: at, key: true },
        `${here || 'the file'} has no \`${key}\``,
        `Add \`${key}: ${example(part)}\`: ${sentence(part)}`,
      );
      return;
    }
    case 'propertyNames': {
      const key = String(params.propertyName);
      findings.add(
        'error',
        'BAD_VALUE',
        { path: [...at, key], key: true },
        `"${key}" is no valid name in ${here}`,
        key === '<<'
          ? 'YAML 1.2 has no merge keys: write the keys out, or use an alias (`*name`) for a whole value.'
          : nameAdvice(path),
      );
      return;
    }
    case 'discriminator': {
      const { key, values, guess } = form.tag;
      const missing = !isMapping(error.data) || error.data[key] === undefined;
      findings.add(
        'error',
        missing ? 'MISSING_KEY' : 'BAD_VALUE',
        missing ? { path: at, key: true } : { path: [...at, key] },
        missing
          ? `${here} has no \`${key}\``
          : `${here} has an unknown ${key} ${show((error.data as Record<string, unknown>)[key])}`,
        missing
          ? `Add \`${key}: ${guess(error.data)}\`; one of ${values.join(', ')}.`
          : suggest(
              typeof params.tagValue === 'string' ? params.tagValue : '',
              values,
              `${key.charAt(0).toUpperCase()}${key.slice(1)}s`,
            ),
      );
      return;
    }
    default:
      findings.error(
        error.keyword === 'type' ? 'WRONG_TYPE' : 'BAD_VALUE',
        at,
        `${form.label(path, data)} must be ${expectation(schema)}, found ${show(error.data)}`,
        advice(error),
      );
  }
}

/** People look for these where an agent is named. */
export const keysOfAgents: ReadonlySet<string> = new Set([
  ...['model', 'effort', 'max_turns', 'tools', 'permissions', 'program', 'on_quota', 'fallback'],
  ...['workspace', 'budget', 'limits', 'rate', 'idle_timeout', 'max_repeats', 'circuit_breaker'],
]);

const keysOfClis = ['program', 'model', 'effort', 'max_turns', 'tools', 'permissions', 'on_quota'];

/** A key that another kind of agent has, or that people look for here. */
function otherKind(key: string, path: Path, data: unknown): string | undefined {
  if (path[0] === 'routing_rules') {
    if (path[2] === 'expect' && key === 'schema') return 'Write `json_schema: FILE`.';
    if (path.length !== 2) return undefined;
    if (key === 'schema') return 'Write `expect: { json_schema: FILE }`.';
    const isOfAgents = keysOfAgents.has(key) || ['timeout', 'retry', 'env', 'sandbox'].includes(key);
    return isOfAgents ? `\`${key}\` belongs to the agent that does it, under \`agents\`.` : undefined;
  }
  if (path[0] !== 'agents' || path.length !== 2) return undefined;
  const agents = isMapping(data) && isMapping(data.agents) ? data.agents : {};
  const agent = agents[String(path[1])];
  const isCli = isMapping(agent) && cliKinds.some((kind) => kind === agent.kind);
  const hints = isCli ? hintsForClis : {};
  if (Object.hasOwn(hints, key)) return hints[key as keyof typeof hints];
  const owners: Readonly<Record<string, string>> = {
    command: '`kind: command`',
    url: '`kind: http`',
    headers: '`kind: http`',
    env: '`kind: command` and to agent CLIs',
    idle_timeout: 'agents of other kinds',
    load: 'agents of other kinds',
    tokens_per_task: 'agents of other kinds',
    plugin: '`kind: plugin`',
    options: '`kind: plugin`',
    ...Object.fromEntries(keysOfClis.map((name) => [name, `agent CLIs (${cliKinds.join(', ')})`])),
  };
  return Object.hasOwn(owners, key) ? `Remove it: \`${key}\` belongs to ${owners[key]}.` : undefined;
}

const hintsForClis: Readonly<Record<string, string>> = {
  command:
    'Remove it: Sluice knows how this CLI is started. `program` says which program, when it is not on PATH.',
  args: 'Remove it: Sluice knows how this CLI is started; `model`, `effort`, `tools` and `permissions` say with what.',
  prompt: 'Prompts belong to rules and to steps of workflows.',
  api_key:
    'Write `env: { NAME: "${env:NAME}" }` with the variable that the CLI reads, or log in with the CLI itself.',
  allowed_tools: 'Write `tools: […]`.',
  mode: 'Write `permissions: { mode: read }`, or `edit`, or `all`.',
  permission_mode: 'Write `permissions: { mode: read }`, or `edit`, or `all`.',
  directories: 'Write `permissions: { directories: […] }`.',
  ceiling: 'Write `permissions: { ceiling: edit }`.',
};

/** A key that exists, and means nothing for the kind of agent it was written for. */
function noEffect(
  key: string,
  path: Path,
  data: unknown,
): { readonly message: string; readonly fix: string } | undefined {
  if (path[0] !== 'agents') return undefined;
  const where = path.slice(2).join('.');
  const keys = Object.hasOwn(withoutEffect, where) ? withoutEffect[where] : undefined;
  const why = keys && Object.hasOwn(keys, key) ? keys[key] : undefined;
  const agents = isMapping(data) && isMapping(data.agents) ? data.agents : {};
  const agent = agents[String(path[1])];
  if (why === undefined || !isMapping(agent)) return undefined;
  return {
    message: `\`${key}\` has no effect: ${agent.kind === 'http' ? 'an http agent' : 'the builtin agent'} ${why[0]}`,
    fix: why[1],
  };
}

const startsNothing = 'starts no program';
const remove = 'Remove it.';
const withoutEffect: Readonly<Record<string, Readonly<Record<string, readonly [string, string]>>>> = {
  '': {
    rate: ['calls nobody', 'Remove it; `max_load` limits how many run at once.'],
    budget: ['costs nothing', remove],
    sandbox: [startsNothing, remove],
    workspace: [startsNothing, remove],
    max_repeats: [startsNothing, remove],
  },
  limits: {
    cpu: [startsNothing, 'Remove it; `max_load` limits how many run at once.'],
    memory: [startsNothing, 'Remove it; `max_input` of a rule bounds the files it gets.'],
    runtime: [
      startsNothing,
      'Write `timeout` instead, and `retry: { attempts: 1 }` if it should not be tried again.',
    ],
    required: [startsNothing, remove],
  },
  sandbox: Object.fromEntries(
    ['write', 'network', 'blocked', 'confirm'].map((key) => [key, [startsNothing, remove] as const]),
  ),
};

function nameAdvice(path: Path): string {
  if (path.at(-1) === 'headers') return 'Use the name of an HTTP header.';
  return path[0] === 'agents' && path.length === 1
    ? 'Use letters, digits, `_`, `-` and `.`; begin with a letter, a digit or `_`.'
    : 'Use letters, digits and `_`; begin with a letter or `_`.';
}

function guessKind(data: unknown): string {
  if (!isMapping(data)) return 'command';
  if (data.url !== undefined) return 'http';
  if (data.command !== undefined) return 'command';
  if (data.plugin !== undefined) return 'plugin';
  const hasKeyOfClis = keysOfClis.some((key) => data[key] !== undefined);
  if (!hasKeyOfClis) return 'builtin';
  const model = String(data.model ?? '');
  return /^gemini/i.test(model) ? 'gemini' : /^(gpt|o\d|codex)/i.test(model) ? 'codex' : 'claude';
}

function escapePointer(part: string): string {
  return part.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** A part that is digits is a place in a list only where there is one: names of agents, inputs and headers may be digits. */
function pathOf(pointer: string, data: unknown): (string | number)[] {
  let here = data;
  return pointer
    .split('/')
    .slice(1)
    .map((escaped) => {
      const part = escaped.replaceAll('~1', '/').replaceAll('~0', '~');
      const place = Array.isArray(here) ? Number(part) : part;
      here = (here as Record<string | number, unknown> | undefined)?.[place];
      return place;
    });
}

/** Takes the part that an error is about out of the data. */
function prune(data: Record<string, unknown>, error: ShapeError, at: Path): void {
  const path = [...at];
  if (error.keyword === 'additionalProperties') path.push(String(error.params.additionalProperty));
  else if (error.keyword === 'propertyNames') path.push(String(error.params.propertyName));
  else if (error.keyword === 'required') return;
  let holder: unknown = data;
  for (const part of path.slice(0, -1))
    holder = (holder as Record<string | number, unknown> | undefined)?.[part];
  const last = path.at(-1);
  if (last === undefined || typeof holder !== 'object' || holder === null) return;
  if (Array.isArray(holder)) holder[Number(last)] = undefined;
  else delete (holder as Record<string, unknown>)[String(last)];
}

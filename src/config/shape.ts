/**
 * Checks the shape of the data with the generated validator, fills in defaults, and turns what the validator found into
 * findings a person can act on. What is wrong is taken out of the data, so that the checks after this one see only values
 * of the right type.
 */
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

/** @param data Changed: defaults are added, invalid parts removed. */
export function checkShape(data: Record<string, unknown>, findings: Findings): void {
  if (validate(data)) return;
  const all = (validate.errors ?? []).filter((error) => error.propertyName === undefined);
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
  for (const error of errors) report(error, data, findings);
  for (const error of errors) prune(data, error);
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

function report(error: ShapeError, data: unknown, findings: Findings): void {
  const path = pathOf(error.instancePath);
  const { params, parentSchema: schema } = error;
  const here = describePlace(path, data);
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(params.additionalProperty);
      const allowed = Object.keys((schema.properties as Schema | undefined) ?? {});
      const without = noEffect(key, path, data);
      findings.add(
        'error',
        without ? 'CONFLICT' : 'UNKNOWN_KEY',
        { path: [...path, key], key: true },
        without?.message ?? `unknown key "${key}"${here && ` in ${here}`}`,
        without?.fix ?? otherKind(key, path) ?? suggest(key, allowed, 'Allowed keys'),
      );
      return;
    }
    case 'required': {
      const key = String(params.missingProperty);
      const part = (schema.properties as Record<string, Schema>)[key];
      findings.add(
        'error',
        'MISSING_KEY',
        { path, key: true },
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
        { path: [...path, key], key: true },
        `"${key}" is no valid name in ${here}`,
        key === '<<'
          ? 'YAML 1.2 has no merge keys: write the keys out, or use an alias (`*name`) for a whole value.'
          : path.at(-1) === 'headers'
            ? 'Use the name of an HTTP header.'
            : 'Use letters, digits, `_`, `-` and `.`; begin with a letter, a digit or `_`.',
      );
      return;
    }
    case 'discriminator': {
      const missing = !isMapping(error.data) || error.data.kind === undefined;
      const kinds = ['command', 'http', 'builtin'];
      findings.add(
        'error',
        missing ? 'MISSING_KEY' : 'BAD_VALUE',
        missing ? { path, key: true } : { path: [...path, 'kind'] },
        missing ? `${here} has no \`kind\`` : `${here} has an unknown kind ${show(params.tagValue)}`,
        missing
          ? `Add \`kind: ${guessKind(error.data)}\`; one of ${kinds.join(', ')}.`
          : suggest(typeof params.tagValue === 'string' ? params.tagValue : '', kinds, 'Kinds'),
      );
      return;
    }
    default:
      findings.error(
        error.keyword === 'type' ? 'WRONG_TYPE' : 'BAD_VALUE',
        path,
        `${labelOf(path, data)} must be ${expectation(schema)}, found ${show(error.data)}`,
        advice(error),
      );
  }
}

/** A key that another kind of agent has. */
function otherKind(key: string, path: Path): string | undefined {
  if (path[0] !== 'agents' || path.length !== 2) return undefined;
  const owners: Readonly<Record<string, string>> = {
    command: '`kind: command`',
    url: '`kind: http`',
    headers: '`kind: http`',
    env: '`kind: command`',
    idle_timeout: '`kind: command` and `kind: http`',
  };
  return Object.hasOwn(owners, key) ? `Remove it: \`${key}\` belongs to ${owners[key]}.` : undefined;
}

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

function guessKind(data: unknown): string {
  if (!isMapping(data)) return 'command';
  return data.url !== undefined ? 'http' : data.command !== undefined ? 'command' : 'builtin';
}

function escapePointer(part: string): string {
  return part.replaceAll('~', '~0').replaceAll('/', '~1');
}

function pathOf(pointer: string): (string | number)[] {
  const parts = pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  return parts.map((part, index) => (/^\d+$/.test(part) && isListPlace(parts, index) ? Number(part) : part));
}

/** Names of agents, headers and variables may be digits; everything else that is digits is a place in a list. */
function isListPlace(parts: readonly string[], index: number): boolean {
  const parent = parts[index - 1] ?? '';
  return !(index === 1 && (parent === 'agents' || parent === 'watcher_endpoints')) && parent !== 'headers';
}

/** Takes the part that an error is about out of the data. */
function prune(data: Record<string, unknown>, error: ShapeError): void {
  const path = pathOf(error.instancePath);
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

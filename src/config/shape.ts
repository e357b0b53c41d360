/**
 * Checks the shape of the data with the generated validator, fills in defaults, and turns what the validator found into
 * findings a person can act on. What is wrong is taken out of the data, so that the checks after this one see only values
 * of the right type.
 */
import type { Loose } from './resolving.ts';
import type { AgentFile } from './schema.ts';
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
  const filled = { ...agent };
  validate({ agents: { agent: filled } });
  return filled as unknown as Loose<AgentFile>;
}

function report(error: ShapeError, data: unknown, findings: Findings): void {
  const path = pathOf(error.instancePath);
  const { params, parentSchema: schema } = error;
  const here = describePlace(path, data);
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(params.additionalProperty);
      const allowed = Object.keys((schema.properties as Schema | undefined) ?? {});
      findings.add(
        'error',
        'UNKNOWN_KEY',
        { path: [...path, key], key: true },
        `unknown key "${key}"${here && ` in ${here}`}`,
        otherKind(key, path) ?? suggest(key, allowed, 'Allowed keys'),
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

/** What a value must be, in words. */
function expectation(schema: Schema): string {
  const bounded = (
    what: string,
    bounds: { minimum: string; maximum: string; or: readonly string[] },
    plain: readonly string[],
  ) => {
    const range = plain.includes(bounds.minimum) ? '' : ` of at least ${bounds.minimum}`;
    return [`${what}${range}, at most ${bounds.maximum}`, ...bounds.or.map((word) => `"${word}"`)].join(
      ' or ',
    );
  };
  if (schema['x-duration']) return bounded('a duration', schema['x-duration'] as never, ['0s']);
  if (schema['x-size']) return bounded('a size', schema['x-size'] as never, ['0B']);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (Array.isArray(schema.enum))
    return schema.enum.length === 1 ? `"${schema.enum[0]}"` : `one of ${schema.enum.join(', ')}`;
  if (schema.pattern === '^unlimited$') return 'a whole number of at least 1, or "unlimited"';
  const words: Record<string, string> = {
    string: 'text',
    integer: range(schema),
    number: range(schema),
    boolean: 'true or false',
    array: schema.minItems === 1 ? 'a list that is not empty' : 'a list',
    object: 'a mapping',
  };
  const types = [schema.type].flat().map((type) => words[String(type)] ?? String(type));
  const text =
    schema.pattern && types[0] === 'text'
      ? [special[String(schema.pattern)] ?? 'text that is not empty', ...types.slice(1)]
      : types;
  return text.join(' or ');
}

const special: Readonly<Record<string, string>> = {
  '^0?[0-7]{3}$': 'octal permissions in quotes, such as "0644"',
  '^[^\\u0000-\\u001f]{1,200}$': 'one line of at most 200 characters',
  '^(?!\\.{1,2}$)[^/\\\\\\u0000-\\u001f]{1,100}$': 'a name of at most 100 characters without slashes',
};

function range(schema: Schema): string {
  const { minimum, maximum } = schema;
  return minimum === undefined
    ? 'a whole number'
    : `a whole number from ${minimum}${maximum === undefined ? '' : ` to ${maximum}`}`;
}

function advice({ data, parentSchema: schema, keyword }: ShapeError): string {
  if (schema['x-duration'])
    return typeof data === 'number'
      ? `Add a unit: \`${data}s\` or \`${data}m\`.`
      : 'Write a number and one of ms, s, m, h, d: `30s`, `5m`.';
  if (schema['x-size'])
    return typeof data === 'number'
      ? `Add a unit: \`${data}B\` or \`${data}MiB\`.`
      : 'Write a number and a unit: `500KB`, `10MiB`, `2GiB`.';
  if (schema.const === 1) return 'Write `version: 1`, or use a version of Sluice that reads this format.';
  const words = Array.isArray(schema.enum)
    ? schema.enum
    : String(schema.pattern).includes('[Dd][Ee]')
      ? schema.examples
      : undefined;
  if (Array.isArray(words))
    return suggest(typeof data === 'string' ? data : '', words as string[], 'Allowed');
  if (String(schema.pattern).includes('0-7'))
    return 'Write `file_mode: "0644"`, with the quotes: YAML reads the bare number as a decimal one.';
  if (keyword === 'type' && schema.type === 'boolean' && typeof data === 'string')
    return 'Write `true` or `false`.';
  if (keyword === 'type' && schema.type === 'array' && !isMapping(data))
    return `Write it as a list: \`[${String(data)}]\`.`;
  if (
    keyword === 'type' &&
    schema.type === 'string' &&
    (typeof data === 'number' || typeof data === 'boolean')
  )
    return `Put it in quotes: \`"${data}"\`.`;
  const text = sentence(schema);
  return text || 'Correct the value, or remove the key.';
}

/** The first sentence of a description. */
function sentence(schema: Schema | undefined): string {
  const text = typeof schema?.description === 'string' ? schema.description : '';
  return text.match(/^.*?[.:](?=\s|$)/)?.[0].replace(/:$/, '.') ?? text;
}

function example(schema: Schema | undefined): string {
  const [first] = Array.isArray(schema?.examples) ? (schema.examples as unknown[]) : [];
  if (first === undefined) return '…';
  return typeof first === 'string'
    ? /^[\w./-]+$/.test(first)
      ? first
      : JSON.stringify(first)
    : JSON.stringify(first);
}

/** A key that another kind of agent has. */
function otherKind(key: string, path: Path): string | undefined {
  if (path[0] !== 'agents' || path.length !== 2) return undefined;
  const owners: Readonly<Record<string, string>> = {
    command: '`kind: command`',
    url: '`kind: http`',
    headers: '`kind: http`',
    env: '`kind: command` and `kind: http`',
    sandbox: '`kind: command` and `kind: http`',
  };
  return Object.hasOwn(owners, key) ? `Remove it: \`${key}\` belongs to ${owners[key]}.` : undefined;
}

function guessKind(data: unknown): string {
  if (!isMapping(data)) return 'command';
  return data.url !== undefined ? 'http' : data.command !== undefined ? 'command' : 'builtin';
}

/** The thing a path lies in, by its name where it has one: `rule "python"`, `agent "lint"`, `watch[0]`. */
export function describePlace(path: Path, data: unknown): string {
  const [section, item, ...rest] = path;
  if (section === undefined) return '';
  const inner = rest.length > 0 ? `\`${dotted(rest)}\` of ` : '';
  if (section === 'agents' && typeof item === 'string') return `${inner}agent "${item}"`;
  if (section === 'routing_rules' && typeof item === 'number') {
    const rule = isMapping(data) && Array.isArray(data.routing_rules) ? data.routing_rules[item] : undefined;
    const name = isMapping(rule) ? (rule.name ?? rule.pattern) : undefined;
    return typeof name === 'string' ? `${inner}rule "${name}"` : `${inner}routing_rules[${item}]`;
  }
  return `\`${dotted(path)}\``;
}

function labelOf(path: Path, data: unknown): string {
  if (path.length === 0) return 'the file';
  const [section] = path;
  return (section === 'agents' || section === 'routing_rules') && path.length >= 2
    ? describePlace(path, data)
    : `\`${dotted(path)}\``;
}

function dotted(path: Path): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`))
    .join('');
}

/** A value in a message: short, and never a whole structure. */
export function show(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value !== 'string') return String(value);
  const text = value.length > 60 ? `${value.slice(0, 57)}…` : value;
  return JSON.stringify(text);
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

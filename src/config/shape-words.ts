/** How findings about the shape of the data are worded: what was expected, what helps, what a thing is called. */
import { datePattern } from './dates.ts';
import { ratePattern } from './rate.ts';
import type { ShapeError } from './shape.ts';
import type { Path } from './source.ts';
import { suggest } from './suggest.ts';
import { tokensPattern } from './tokens.ts';
import { isMapping } from './unsupported.ts';

type Schema = Readonly<Record<string, unknown>>;

/** What a value must be, in words. */
export function expectation(schema: Schema): string {
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
  if (schema['x-percent']) return bounded('a percentage', schema['x-percent'] as never, ['0%']);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (Array.isArray(schema.enum))
    return schema.enum.length === 1 ? `"${schema.enum[0]}"` : `one of ${schema.enum.join(', ')}`;
  const word = wordOf(schema);
  if (word !== undefined)
    return [schema.type].flat().includes('integer')
      ? `a whole number of at least ${schema.minimum}, or "${word}"`
      : `a mapping, or "${word}"`;
  if (schema.pattern === tokensPattern) return 'a number of tokens such as 200000 or "200k"';
  const words: Record<string, string> = {
    string: 'text',
    integer: range(schema),
    number: `a number ${schema.minimum === 0 ? 'from 0 to' : 'above 0, at most'} ${schema.maximum}`,
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

/** The word that stands for none where a key takes something else, too. */
function wordOf(schema: Schema): string | undefined {
  return /^\^(\w+)\$$/.exec(String(schema.pattern))?.[1];
}

const special: Readonly<Record<string, string>> = {
  [ratePattern]: 'a rate such as "30/min"',
  '^(none|allow)$': '"none", "allow"',
  '^(four_rules|votes)$': '"four_rules", "votes"',
  [datePattern]: 'a day such as "2026-07-01"',
  '^0?[0-7]{3}$': 'octal permissions in quotes, such as "0644"',
  '^(?=.*\\S)(?!\\.{1,2}$)[^/\\u0000-\\u001f\\u007f]{1,100}$':
    'a name of at most 100 characters without slashes',
  '^(?=.*\\S)[^\\u0000-\\u001f]{1,200}$': 'one line of at most 200 characters',
  '^[^\\u0000-\\u001f]{1,200}$': 'one line of at most 200 characters',
  '^(?!\\.{1,2}$)[^/\\\\\\u0000-\\u001f]{1,100}$': 'a name of at most 100 characters without slashes',
};

function range(schema: Schema): string {
  const { minimum, maximum } = schema;
  return minimum === undefined
    ? 'a whole number'
    : `a whole number from ${minimum}${maximum === undefined ? '' : ` to ${maximum}`}`;
}

export function advice({ data, parentSchema: schema, keyword }: ShapeError): string {
  if (schema['x-duration'])
    return typeof data === 'number'
      ? `Add a unit: \`${data}s\` or \`${data}m\`.`
      : 'Write a number and one of ms, s, m, h, d: `30s`, `5m`.';
  if (schema['x-size'])
    return typeof data === 'number'
      ? `Add a unit: \`${data}B\` or \`${data}MiB\`.`
      : 'Write a number and a unit: `500KB`, `10MiB`, `2GiB`.';
  if (schema['x-percent'])
    return typeof data === 'number' ? `Add the sign: \`${data}%\`.` : 'Write a number and the sign: `50%`.';
  if (schema.pattern === datePattern) return 'Write year, month and day: `2026-07-01`.';
  if (schema.pattern === ratePattern) return 'Write a number and one of /s, /min, /h, /d: `30/min`.';
  if (schema.pattern === tokensPattern) return 'Write a number, or one with `k` or `M`: `200k`, `5M`.';
  if (schema.type === 'number' && typeof data === 'string')
    return /^\d+(\.\d+)?%$/.test(data) && schema.maximum === 1
      ? `Write it as a share of 1: \`${Number.parseFloat(data) / 100}\`.`
      : `Write the bare number: \`${Number.parseFloat(data.replace(/^[^\d.]+/, '')) || 1}\`.`;
  if (schema.type === 'integer' && typeof data === 'string' && /^-?\d+$/.test(data))
    return `Write the bare number: \`${Number(data)}\`.`;
  if (wordOf(schema) && typeof data === 'string')
    return suggest(data, [wordOf(schema) as string], 'As a word only');
  if (schema.const === 1) return 'Write `version: 1`, or use a version of Sluice that reads this format.';
  const words = Array.isArray(schema.enum)
    ? schema.enum
    : String(schema.pattern).includes('[Dd][Ee]')
      ? schema.examples
      : schema.pattern === '^(four_rules|votes)$' && typeof data === 'string'
        ? ['four_rules', 'votes']
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
  if (keyword === 'type') {
    const written = otherForm(schema, data);
    if (written !== undefined) return written;
  }
  const text = sentence(schema);
  return text || 'Correct the value, or remove the key.';
}

/** A word or a number where a list or a mapping belongs: how it is written there. */
function otherForm(schema: Schema, data: unknown): string | undefined {
  const types = [schema.type].flat();
  if (typeof data !== 'string' && typeof data !== 'number' && typeof data !== 'boolean') return undefined;
  if (types.includes('array')) return `Write it as a list: \`[${data}]\`.`;
  if (!types.includes('object')) return undefined;
  const kinds = schema.oneOf as readonly Schema[] | undefined;
  const properties = (schema.properties ?? {}) as Record<string, Schema>;
  const tag = (schema.discriminator as { readonly propertyName?: string } | undefined)?.propertyName;
  const required = Array.isArray(schema.required) && schema.required.length === 1 ? schema.required[0] : '';
  const takes = (one: Schema | undefined): boolean => [one?.enum, one?.const].flat().includes(data);
  const key =
    tag !== undefined && kinds?.some((one) => takes((one.properties as Record<string, Schema>)?.[tag]))
      ? tag
      : Object.keys(properties).find((name) => name === required || takes(properties[name]));
  if (Object.keys(properties).length === 0 && key === undefined) return undefined;
  if (key !== undefined) return `Write it as a mapping: \`{ ${key}: ${data} }\`.`;
  return `Write it as a mapping; its keys: ${Object.keys(properties).join(', ')}.`;
}

/** The first sentence of a description, without its links, which are for pages. */
export function sentence(schema: Schema | undefined): string {
  const description = typeof schema?.description === 'string' ? schema.description : '';
  const text = description.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
  return text.match(/^.*?[.:](?=\s|$)/)?.[0].replace(/:$/, '.') ?? text;
}

export function example(schema: Schema | undefined): string {
  const [first] = Array.isArray(schema?.examples) ? (schema.examples as unknown[]) : [];
  if (first === undefined) return '…';
  return typeof first === 'string'
    ? /^[\w./-]+$/.test(first)
      ? first
      : JSON.stringify(first)
    : JSON.stringify(first);
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

export function labelOf(path: Path, data: unknown): string {
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

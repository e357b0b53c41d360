/**
 * A JSON Schema in the form that OpenAI's structured answers take: every object names all its properties and has no others,
 * and only some keywords are known. Codex CLI hands a schema on as it is, and the service refuses the whole request when it
 * is not of that form. What is left out here is checked afterwards, with the schema as it was written.
 */
import { isObject, type Json } from '../reading/values.ts';

type Schema = Json;

const kept: ReadonlySet<string> = new Set([
  ...['type', 'description', 'enum', 'const', '$ref', 'pattern', 'multipleOf'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'minItems', 'maxItems'],
]);
/** They change what shape is meant and cannot be said in another way. */
const inexpressible = [
  ...['allOf', 'not', 'if', 'then', 'else', 'patternProperties', 'dependentSchemas', 'dependentRequired'],
  ...['prefixItems', '$dynamicRef', '$recursiveRef', 'unevaluatedProperties', 'unevaluatedItems'],
];
const formats: ReadonlySet<unknown> = new Set([
  ...['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid'],
]);
const maxDepth = 10;

/** @returns undefined where it cannot be said in that form: the prompt alone then tells the shape. */
export function strictSchema(schema: unknown): Schema | undefined {
  try {
    const strict = convert(schema, 0);
    // The answer as a whole has to be an object.
    return strict.type === 'object' ? strict : undefined;
  } catch (error) {
    if (error instanceof Inexpressible) return undefined;
    throw error;
  }
}

class Inexpressible extends Error {}

function convert(schema: unknown, depth: number): Schema {
  if (!isObject(schema) || depth > maxDepth || inexpressible.some((name) => schema[name] !== undefined))
    throw new Inexpressible();
  const strict: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(schema)) if (kept.has(name)) strict[name] = value;
  if (formats.has(schema.format)) strict.format = schema.format;
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) {
    if (!Array.isArray(choices)) throw new Inexpressible();
    strict.anyOf = choices.map((one) => convert(one, depth + 1));
  }
  for (const name of ['$defs', 'definitions'])
    if (schema[name] !== undefined) strict[name] = fields(schema[name], depth);
  if (holds(schema, 'object') || schema.properties !== undefined)
    Object.assign(strict, object(schema, depth));
  if (holds(schema, 'array') || schema.items !== undefined) strict.items = convert(schema.items, depth + 1);
  const isSaid = ['type', 'enum', 'const', '$ref', 'anyOf'].some((name) => strict[name] !== undefined);
  if (!isSaid) throw new Inexpressible();
  return strict;
}

/** Properties that may be missing are asked for as well: an answer that has them all fits, too. */
function object(schema: Schema, depth: number): Schema {
  const properties = fields(schema.properties, depth);
  const names = Object.keys(properties);
  if (names.length === 0 || isObject(schema.additionalProperties)) throw new Inexpressible();
  return { type: schema.type ?? 'object', properties, required: names, additionalProperties: false };
}

function fields(value: unknown, depth: number): Schema {
  if (!isObject(value)) throw new Inexpressible();
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, convert(one, depth + 1)]));
}

function holds({ type }: Schema, name: string): boolean {
  return type === name || (Array.isArray(type) && type.includes(name));
}

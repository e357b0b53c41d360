/**
 * A JSON Schema in the form that `--json-schema` takes: Claude Code compiles it by draft 07 in strict mode and ends at once
 * where it finds a keyword that it does not know, `$schema` of a later draft among them. What is left out here only makes
 * it wider: the prompt has the whole schema, and the answer is checked against it as it was written.
 */
import { isObject, type Json, listOf } from '../reading/values.ts';

type Schema = Json;

const kept: ReadonlySet<string> = new Set([
  ...['type', 'enum', 'const', 'format', '$ref', 'title', 'description', 'default', 'examples', '$comment'],
  ...['multipleOf', 'maximum', 'exclusiveMaximum', 'minimum', 'exclusiveMinimum'],
  ...['maxLength', 'minLength', 'pattern', 'maxItems', 'minItems', 'uniqueItems'],
  ...['maxProperties', 'minProperties', 'required'],
]);
const single = ['additionalProperties', 'propertyNames', 'contains', 'not'];
const lists = ['allOf', 'anyOf', 'oneOf'];
const named = ['properties', 'patternProperties', 'definitions', '$defs'];
/** What they lead to could be left out. */
const inexpressible = ['$dynamicRef', '$recursiveRef', '$anchor', '$dynamicAnchor'];
const maxDepth = 50;

/** @returns undefined where it cannot be said in that form: the prompt alone then tells the shape. */
export function draft7Schema(schema: unknown): Schema | undefined {
  try {
    const converted = convert(schema, 0);
    // It becomes the input of a tool, which is always an object.
    return isObject(converted) && converted.type === 'object' ? converted : undefined;
  } catch (error) {
    if (error instanceof Inexpressible) return undefined;
    throw error;
  }
}

class Inexpressible extends Error {}

function convert(schema: unknown, depth: number): Schema | boolean {
  if (typeof schema === 'boolean') return schema;
  if (!isObject(schema) || depth > maxDepth || inexpressible.some((name) => schema[name] !== undefined))
    throw new Inexpressible();
  // In strict mode a name may not be meant by both.
  if (schema.properties !== undefined && schema.patternProperties !== undefined) throw new Inexpressible();
  const inner = (value: unknown): Schema | boolean => convert(value, depth + 1);
  const draft7: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(schema)) {
    if (kept.has(name)) draft7[name] = value;
    else if (single.includes(name)) draft7[name] = inner(value);
    else if (lists.includes(name)) draft7[name] = listOf(value).map(inner);
    else if (named.includes(name))
      draft7[name] = Object.fromEntries(
        Object.entries(isObject(value) ? value : {}).map(([key, one]) => [key, inner(one)]),
      );
  }
  // With `prefixItems` it is what follows those. A list is how draft 07 said that.
  if (schema.items !== undefined && schema.prefixItems === undefined && !Array.isArray(schema.items))
    draft7.items = inner(schema.items);
  return draft7;
}

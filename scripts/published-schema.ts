/**
 * The configuration schema as plain JSON: `validatorSchema` for ajv at build time, `publishedSchema` for editors. It
 * loads typebox, so nothing at run time imports it.
 */
import { durationPattern } from '../src/config/duration.ts';
import { percentPattern } from '../src/config/percent.ts';
import { ConfigFileSchema } from '../src/config/schema.ts';
import { WorkflowSchema } from '../src/config/schema-workflow.ts';
import { sizePattern } from '../src/config/size.ts';

export type JsonSchema = { [key: string]: unknown };

/** What is checked by a schema: the configuration file, and a workflow's definition. */
export type Subject = 'configuration' | 'workflow';
const sources = { configuration: ConfigFileSchema, workflow: WorkflowSchema };

/** What ajv compiles: our keywords kept, keys that have a default not required. */
export function validatorSchema(subject: Subject = 'configuration'): JsonSchema {
  const schema = JSON.parse(JSON.stringify(sources[subject])) as JsonSchema;
  if (subject === 'workflow') shareSteps(schema);
  visit(schema, (part) => {
    if (!Array.isArray(part.required) || !isObject(part.properties)) return;
    const properties = part.properties as Record<string, JsonSchema>;
    part.required = part.required.filter((key: string) => properties[key]?.default === undefined);
    if ((part.required as string[]).length === 0) delete part.required;
  });
  return schema;
}

/** What editors read: durations, sizes and percentages as patterns, no keywords of ours. */
export function publishedSchema(subject: Subject = 'configuration'): JsonSchema {
  const schema = validatorSchema(subject);
  visit(schema, (part) => {
    for (const [keyword, pattern] of [
      ['x-duration', durationPattern],
      ['x-size', sizePattern],
      ['x-percent', percentPattern],
    ] as const) {
      const bounds = part[keyword] as { or?: string[] } | undefined;
      if (!bounds) continue;
      part.pattern = bounds.or?.length ? `${pattern}|^(${bounds.or.join('|')})$` : pattern;
      delete part[keyword];
    }
    delete part.discriminator;
    if (typeof part['x-default'] === 'string') {
      part.description = `${part.description} Default: ${part['x-default']}.`;
      delete part['x-default'];
    }
  });
  const $schema = 'http://json-schema.org/draft-07/schema#';
  if (subject === 'configuration') return { $schema, title: 'Sluice configuration', ...schema };
  // A file holds one definition, or a list of them.
  const { definitions, ...workflow } = schema;
  const one = { $ref: '#/definitions/workflow' };
  return {
    $schema,
    title: 'Sluice workflow',
    if: { type: 'array' },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { type: 'array', minItems: 1, items: one },
    else: one,
    definitions: { workflow, ...(definitions as JsonSchema) },
  };
}

/**
 * The same schema with what it holds more than once apart, under `definitions`: the validator made from it has each of
 * these once, which halves what every command loads. Defaults stay where they are: they belong to the key.
 */
export function withSharedParts(schema: JsonSchema): JsonSchema {
  const shared = structuredClone(schema);
  const places = new Map<string, JsonSchema[]>();
  visit(shared, (part) => {
    if (part === shared || !(isObject(part.properties) || part.items) || part.$ref) return;
    const { default: _, 'x-default': _x, ...rest } = part;
    const text = JSON.stringify(rest);
    places.set(text, [...(places.get(text) ?? []), part]);
  });
  const definitions: JsonSchema = {};
  const moved = new Set<JsonSchema>();
  // The largest first: what lies within a part that is shared goes with it.
  for (const [text, all] of [...places].toSorted(([a], [b]) => b.length - a.length)) {
    const parts = all.filter((part) => !moved.has(part));
    if (parts.length < 2) continue;
    const name = `part${Object.keys(definitions).length + 1}`;
    definitions[name] = JSON.parse(text) as JsonSchema;
    for (const part of parts) {
      visit(part, (inner) => moved.add(inner));
      const kept = part.default === undefined ? {} : { default: part.default };
      for (const key of Object.keys(part)) delete part[key];
      Object.assign(part, { $ref: `#/definitions/${name}` }, kept);
    }
  }
  return { ...shared, definitions: { ...(shared.definitions as JsonSchema | undefined), ...definitions } };
}

/** Steps stand in two lists, and are described once. */
function shareSteps(schema: JsonSchema): void {
  const { steps, on_failure: onFailure } = schema.properties as Record<string, JsonSchema>;
  schema.definitions = { step: steps?.items };
  for (const list of [steps, onFailure]) (list as JsonSchema).items = { $ref: '#/definitions/step' };
}

function visit(value: unknown, change: (part: JsonSchema) => void): void {
  if (Array.isArray(value)) for (const item of value) visit(item, change);
  else if (isObject(value)) {
    change(value);
    for (const [key, inner] of Object.entries(value))
      if (key !== 'default' && key !== 'examples') visit(inner, change);
  }
}

function isObject(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** JSON Schemas of rules, each compiled once. */
import { compileJsonSchema, type JsonCheck } from '../config/json-schema.ts';
import type { SchemaCheck } from './expect.ts';

export function createSchemaCheck(): SchemaCheck {
  const compiled = new Map<string, Promise<JsonCheck>>();
  return (schema) => {
    const id = JSON.stringify(schema);
    const known = compiled.get(id) ?? compileJsonSchema(schema);
    compiled.set(id, known);
    return known;
  };
}

import { readFileSync } from 'node:fs';

/** The JSON Schema of the configuration that this package ships, for editors. */
export function readPublishedSchema(): string {
  return readFileSync(new URL('../../config/orchestrator.schema.json', import.meta.url), 'utf8');
}

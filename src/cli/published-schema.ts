import { readFileSync } from 'node:fs';

/** A JSON Schema that this package ships, for editors: of the configuration, or of a workflow file. */
export function readPublishedSchema(of: 'orchestrator' | 'workflow' = 'orchestrator'): string {
  return readFileSync(new URL(`../../config/${of}.schema.json`, import.meta.url), 'utf8');
}

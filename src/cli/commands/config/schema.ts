/** `sluice config schema`: the published JSON Schema, as it was generated. */
import { readPublishedSchema } from '../../published-schema.ts';

export async function run(): Promise<number> {
  process.stdout.write(readPublishedSchema());
  return 0;
}

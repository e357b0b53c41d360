/** `sluice config schema`: a published JSON Schema, as it was generated. */
import type { CommandContext } from '../../context.ts';
import { readPublishedSchema } from '../../published-schema.ts';

export async function run(
  _context: CommandContext,
  [of = 'orchestrator']: readonly string[],
): Promise<number> {
  process.stdout.write(readPublishedSchema(of === 'workflow' ? 'workflow' : 'orchestrator'));
  return 0;
}

/** `expect` of rules and steps: outputs that must be there, and the JSON Schema that they must satisfy. */
import { messageOf } from '../types/errors.ts';
import { type AgentConfig, isCliAgent, type RuleConfig } from './config.ts';
import { compileJsonSchema } from './json-schema.ts';
import { readNamedFile } from './named-file.ts';
import { type Loose, projectPath, type Resolving } from './resolving.ts';
import type { RuleFile } from './schema.ts';
import type { Path } from './source.ts';

/** @param at Of the `expect` itself. */
export async function resolveExpect(
  context: Resolving,
  expect: Loose<RuleFile['expect']> | undefined,
  at: Path,
): Promise<RuleConfig['expect']> {
  const outputs = (expect?.outputs ?? []).filter((output) => output !== undefined);
  for (const [position, output] of outputs.entries())
    if (output.startsWith('/') || output.split('/').includes('..'))
      context.findings.error(
        'BAD_VALUE',
        [...at, 'outputs', position],
        `"${output}" lies outside of the output folder`,
        'Write a path relative to the output folder of the job, without `..`.',
      );
  const name = expect?.json_schema;
  if (name === undefined) return { outputs };
  const place = [...at, 'json_schema'];
  const text = await readNamedFile(context, place, name);
  if (text === undefined) return { outputs };
  try {
    const schema: unknown = JSON.parse(text);
    await compileJsonSchema(schema);
    return { outputs, jsonSchema: { file: projectPath(context, name), schema } };
  } catch (error) {
    const what = error instanceof SyntaxError ? 'is no valid JSON' : 'is no usable JSON Schema';
    context.findings.error('BAD_FILE', place, `"${name}" ${what}: ${messageOf(error)}`, `Correct "${name}".`);
    return { outputs };
  }
}

/**
 * Files are expected of an agent CLI that may only look: it is not even told where they belong.
 * @param at Of the `expect`. @param agents Those that can begin with the work.
 */
export function warnOfReaders(
  { findings }: Resolving,
  { outputs }: RuleConfig['expect'],
  at: Path,
  agents: readonly (AgentConfig | undefined)[],
): void {
  if (outputs.length === 0) return;
  const reader = agents.find((agent) => agent && isCliAgent(agent) && agent.cli.permissions.mode === 'read');
  if (reader)
    findings.warning(
      'CONFLICT',
      [...at, 'outputs'],
      `files are expected, and the agent "${reader.name}" may only look: it will make none`,
      `Write \`permissions: { mode: edit }\` for \`agents.${reader.name}\`; its answer is checked by \`json_schema\` alone.`,
    );
}

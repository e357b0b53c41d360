/** Workflows, triggers and schedules that the pages show load as they stand, with the agents and workflows that they name. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { brief, load } from '../config/project.ts';

const repository = join(import.meta.dirname, '../..');
const agents = ['analyst', 'reviewer', 'words'];
const others = ['deploy', 'daily-digest'];

const config = `version: 1
routing_rules: []
agents:
${agents.map((name) => `  ${name}: { kind: command, command: [cat] }\n`).join('')}`;
const called = Object.fromEntries(
  others.map((name) => [
    `workflows/${name}.yaml`,
    `name: ${name}
inputs: { target: { type: string }, days: { type: number } }
steps: [{ name: go, type: custom_command, command: [echo, "\${{ inputs.target }}\${{ inputs.days }}"] }]
`,
  ]),
);

function yamlOf(page: string): string[] {
  const text = readFileSync(join(repository, page), 'utf8');
  return [...text.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, block = '']) => block);
}

async function findings(text: string, files: Record<string, string>): Promise<readonly string[]> {
  const { warnings } = await load(text, { ...called, ...files }, { searchPath: '' });
  // Programs and variables are those of whoever reads the page.
  const ofTheMachine = ['COMMAND_NOT_FOUND', 'SECRET_UNRESOLVED'];
  return warnings
    .filter(({ file, code }) => file.includes('workflows/') && !ofTheMachine.includes(code))
    .map(brief);
}

test.each([
  ['README.md', 1],
  ['docs/getting-started.md', 1],
  ['docs/workflows.md', 1],
])('%s: each definition loads', async (page, count) => {
  const definitions = yamlOf(page).filter((block) => /^name: /m.test(block) && /^steps:/m.test(block));
  expect(definitions).toHaveLength(count);
  for (const text of definitions)
    expect(await findings(config, { 'workflows/shown.yaml': text })).toEqual([]);
});

test('what starts a run, and schedules, load', async () => {
  const triggers = [...yamlOf('docs/workflows.md'), ...yamlOf('docs/schedules.md')].filter((block) =>
    block.startsWith('on:'),
  );
  expect(triggers).toHaveLength(2);
  const steps = 'steps: [{ name: go, type: custom_command, command: [echo, hi] }]\n';
  for (const text of triggers)
    expect(await findings(config, { 'workflows/shown.yaml': `name: shown\n${text}${steps}` })).toEqual([]);
  const schedules = [...yamlOf('docs/schedules.md'), ...yamlOf('docs/configuration.md')].filter((block) =>
    /^schedules:/m.test(block),
  );
  expect(schedules).toHaveLength(2);
  for (const text of schedules) expect(await findings(`${config}${text}`, {})).toEqual([]);
});

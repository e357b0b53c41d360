/** `cache: {inputs}` with values filled in: what is filled in is a name, whatever characters it has. */
import { expect, test } from 'vitest';
import { Project } from '../cli/sluice.ts';

const names = [
  'a.txt',
  '-b [1].txt',
  '{c,d}.txt',
  '!e.txt',
  'f*?.txt',
  '(g|h)+@.txt',
  'ü "i" $j^.txt',
  'k\\l.txt',
  '**.txt',
];

test('a result is taken again only while the file that it names is the same', async () => {
  const project = new Project({
    'config/orchestrator.yaml': 'watch: [{ path: ./data }]\nrouting_rules: []\n',
    'workflows/copy.yaml': `
name: copy
steps:
  - name: read
    type: custom_command
    for_each: \${{ glob('data/*') }}
    command: [cat, "\${{ item.path }}"]
    cache: { inputs: ["\${{ item.rel }}"] }
`,
    ...Object.fromEntries(names.map((name) => [`data/${name}`, name])),
  });
  const counts = async () => {
    const { steps } = await project.json<{ steps: { items: { counts: Record<string, number> } }[] }>(
      'workflow',
      'run',
      'copy',
    );
    return steps[0]?.items.counts;
  };
  expect(await counts()).toEqual({ succeeded: names.length });
  expect(await counts()).toEqual({ cached: names.length });
  for (const name of names) project.write(`data/${name}`, `${name}, changed`);
  expect(await counts()).toEqual({ succeeded: names.length });
});

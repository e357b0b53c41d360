/** What the page on reviews shows loads as it stands. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { brief, load } from '../config/project.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/reviews.md'), 'utf8');
const blocks = [...page.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, block = '']) => block);
const names = ['codex-reviewer', 'gemini-reviewer', 'security-reviewer'];
const agents = `agents:
  writer: { kind: claude }
${names.map((name) => `  ${name}: { kind: codex, capabilities: [code_review] }\n`).join('')}`;
const ofTheMachine = ['AGENT_NOT_INSTALLED', 'COMMAND_NOT_FOUND'];

test('each block loads, and nothing is said against it', async () => {
  expect(blocks.map((block) => block.split('\n')[0])).toEqual([
    '# config/orchestrator.yaml',
    'steps:',
    'reviews:',
  ]);
  for (const block of blocks) {
    const isWhole = block.includes('routing_rules:');
    const isSteps = block.startsWith('steps:');
    const rules = 'routing_rules: [{ name: all, pattern: "**", agent: writer, prompt: x }]\n';
    const text = isWhole ? block : `${rules}${agents}${isSteps ? 'reviews: {}\n' : block}`;
    const files = isSteps ? { 'workflows/shown.yaml': `name: shown\n${block}` } : {};
    const { warnings } = await load(`version: 1\n${text}`, files, { searchPath: '' });
    expect(warnings.filter(({ code }) => !ofTheMachine.includes(code)).map(brief)).toEqual([]);
  }
});

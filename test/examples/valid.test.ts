/** Every example as it is shipped: its configuration and workflows load, and its page says what somebody needs who tries it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { examples } from './example.ts';

const names = readdirSync(examples).filter((name) => existsSync(join(examples, name, 'workflows')));
const overview = readFileSync(join(examples, 'README.md'), 'utf8');

describe.each(names)('%s', (name) => {
  const dir = join(examples, name);

  test('loads, and warns of nothing but programs and cores that this machine lacks', async () => {
    const { config, warnings } = await loadConfig(join(dir, 'config/orchestrator.yaml'));
    expect(config.workflows.map((workflow) => workflow.name)).toContain(name);
    const lacks = /^the program .* is not on PATH$|is never reached: at most 1 attempts run at once$/;
    expect(warnings.filter(({ message }) => !lacks.test(message))).toEqual([]);
  });

  test('has a page that is listed, with a command to try, and how to have it in a project', () => {
    const readme = readFileSync(join(dir, 'README.md'), 'utf8');
    expect(overview).toContain(`| [${name}](${name}/README.md) |`);
    expect(readme).toMatch(/^# .+\n\n/);
    expect(readme).toMatch(/```sh\nsluice (?:run|workflow run) ?/);
    expect(readme).toContain(`sluice workflow new --template ${name}`);
    expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(26);
  });
});

test.each(['docs-translation', 'transcript-actions'])('%s: another CLI is one word', async (name) => {
  const text = readFileSync(join(examples, name, 'config/orchestrator.yaml'), 'utf8');
  expect(text.match(/kind: claude\b/g)).toHaveLength(1);
  expect(text).toMatch(/kind: claude +# the one line to change: codex, gemini or copilot/);
});

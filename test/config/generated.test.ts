/** The files made from the schema are fresh, complete, and need nothing of what made them. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { generatedFiles, staleFiles } from '../../scripts/generate.ts';
import { type JsonSchema, publishedSchema, validatorSchema } from '../../scripts/published-schema.ts';
import { project } from './project.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));

test('generated files are fresh, and a stale or missing one is noticed', async () => {
  expect(await staleFiles()).toEqual([]);
  const [first, second, ...rest] = generatedFiles;
  const copies = Object.fromEntries(
    await Promise.all(
      [first, ...rest].map(async (file) => [
        file?.path ?? '',
        await readFile(join(repository, file?.path ?? ''), 'utf8'),
      ]),
    ),
  );
  const dir = await project({ ...copies, [first?.path ?? '']: 'changed' });
  expect(await staleFiles(dir)).toEqual([first?.path, second?.path]);
});

test('`generate.ts --check` says so by its exit code', async () => {
  await promisify(execFile)(process.execPath, [join(repository, 'scripts/generate.ts'), '--check']);
});

test.each(['configuration', 'workflow'] as const)(
  'every key of the %s has a description, and a default unless it is required or optional by nature',
  (subject) => {
    const missing: string[] = [];
    const walk = (schema: JsonSchema, path: string): void => {
      for (const [key, part] of Object.entries(
        (schema.properties as Record<string, JsonSchema> | undefined) ?? {},
      )) {
        if (typeof part.description !== 'string' || part.description === '') missing.push(`${path}.${key}`);
        walk(part, `${path}.${key}`);
      }
      for (const inner of [
        schema.items,
        schema.additionalProperties,
        ...((schema.oneOf as unknown[] | undefined) ?? []),
      ])
        if (typeof inner === 'object' && inner !== null) walk(inner as JsonSchema, `${path}[]`);
    };
    const schema = validatorSchema(subject);
    walk(schema, '');
    for (const [name, part] of Object.entries((schema.definitions ?? {}) as Record<string, JsonSchema>))
      walk(part, name);
    expect(missing).toEqual([]);
  },
);

test('the published schema is valid and accepts what editors will show', async () => {
  const validate = new Ajv({ strict: false }).compile(publishedSchema());
  const { parse } = await import('yaml');
  const { initialConfig } = await import('../../src/config/templates/initial-config.ts');
  expect(validate(parse(initialConfig())), JSON.stringify(validate.errors)).toBe(true);
  expect(validate(parse(await readFile(join(repository, 'config/orchestrator.yaml'), 'utf8')))).toBe(true);
  expect(validate({ cache: { ttl: '30y' } })).toBe(false);
  expect(
    validate({ agents: { a: { kind: 'http', url: 'http://x', idle_timeout: 'off' } } }),
    JSON.stringify(validate.errors),
  ).toBe(true);
});

test('the published schema of workflows takes a definition and a list of them, and knows each type of step', async () => {
  const validate = new Ajv({ strict: false }).compile(publishedSchema('workflow'));
  const one = { name: 'W', steps: [{ name: 'a', type: 'custom_command', command: 'true', timeout: '5m' }] };
  expect(validate(one), JSON.stringify(validate.errors)).toBe(true);
  expect(validate([one, one])).toBe(true);
  expect(validate([])).toBe(false);
  expect(validate({ ...one, steps: [{ name: 'a', type: 'approval', command: 'true' }] })).toBe(false);
  expect(validate({ ...one, on_failure: [{ name: 'a', type: 'nope' }] })).toBe(false);
  expect(validate({ ...one, on: { schedule: { cron: '@daily', overlap: 'never' } } })).toBe(false);
});

test('loading a configuration loads neither typebox nor ajv', async () => {
  const dir = await project({ 'inbox/x': '', 'config/orchestrator.yaml': 'version: 1\n' });
  const program = `
    const { registerHooks } = await import('node:module');
    const loaded = [];
    registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
    const { loadConfig } = await import(${JSON.stringify(new URL('../../src/config/load.ts', import.meta.url).href)});
    await loadConfig(${JSON.stringify(join(dir, 'config/orchestrator.yaml'))});
    console.log(JSON.stringify(loaded.filter((url) => /node_modules.(typebox|ajv|age-encryption)/.test(url))));
    console.log(loaded.some((url) => url.includes('validate.generated')));
    console.log(loaded.some((url) => /validate-workflow|croner|liquidjs/.test(url)));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  expect(stdout.trim().split('\n')).toEqual(['[]', 'true', 'false']);
});

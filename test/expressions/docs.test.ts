/** docs/expressions.md is the language: what it shows is what happens. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  checkExpression,
  checkTemplate,
  ExpressionError,
  evaluate,
  fileShape,
  functions,
  parseExpression,
  renderText,
  signatureOf,
} from '../../src/expressions/expressions.ts';
import { known, scopeOf } from './scope.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/expressions.md'), 'utf8');
const scope = scopeOf(JSON.parse(block('json scope')));

test.for(examples('expressions'))('%s → %s', async ([expression, result]) => {
  expect(checkExpression(expression, known)).toEqual([]);
  expect(await evaluate(expression, scope)).toEqual(JSON.parse(result));
});

test.for(examples('templates'))('the text of %s', async ([template, result]) => {
  expect(checkTemplate(template, known)).toEqual([]);
  expect(await renderText(template, scope)).toBe(result);
});

test.for(examples('errors'))('%s is an error', async ([expression, message]) => {
  const [problem] = checkExpression(expression, known);
  if (problem) {
    const { suggestion } = problem;
    expect(
      `${problem.message}${suggestion === undefined || !message.includes('did you') ? '' : `: ${problem.fix}`}`,
    ).toBe(message);
  }
  const thrown: unknown = await evaluate(expression, scope).catch((error: unknown) => error);
  // Names are known when the file is loaded only: for data, one that is not there is null.
  if (message.startsWith('unknown value')) return;
  expect(thrown).toBeInstanceOf(ExpressionError);
  if (!problem) expect((thrown as ExpressionError).problem.message).toBe(message);
});

test('the examples of the YAML are expressions', () => {
  for (const template of block('yaml').match(/"[^"]*\$\{\{[^"]*"|\$\{\{.*\}\}/g) ?? [])
    expect(checkTemplate(template.replaceAll('"', ''), known)).toEqual([]);
});

test('the tables list every function and every part of a file', () => {
  for (const [name, spec] of functions)
    expect(page).toContain(`| \`${signatureOf(name, spec)}\` | ${spec.doc} |`);
  const [, called = ''] = /^## What can be called$([\s\S]*?)^## /m.exec(page) ?? [];
  expect(called.match(/^\| `\w+\(/gm)).toHaveLength(functions.size);
  const [row = ''] = page.match(/^\| `file` \|.*$/m) ?? [];
  for (const name of Object.keys(fileShape.kind === 'object' ? fileShape.keys : {}))
    expect(row).toContain(`\`${name}\``);
});

test('differences: what is said of this side', async () => {
  await expect(evaluate("1 == '1'", scope)).rejects.toThrow('number with text');
  expect(await evaluate("'A' == 'a'", scope)).toBe(false);
  await expect(evaluate('null < 1', scope)).rejects.toThrow('null on one side');
  expect(parseExpression('steps.*.outcome')).toHaveProperty('problem');
});

function block(name: string): string {
  return new RegExp(`^\`\`\`${name}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(page)?.[1] ?? '';
}

function examples(name: string): [string, string][] {
  const lines = block(name).trim().split('\n');
  expect(lines.length).toBeGreaterThan(4);
  return lines.map((line) => {
    const [left = '', right = ''] = line.split(' → ');
    return [left, right];
  });
}

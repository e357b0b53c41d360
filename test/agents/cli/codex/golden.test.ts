/**
 * Every recorded stream gives the events and the report that stand in `golden.txt`. After a change that is meant, look at
 * what `vitest run -u` made of it.
 */
import { expect, test } from 'vitest';
import { cases, readCase } from './recorded.ts';

test('the recorded streams are read as they always were', async () => {
  const text = cases
    .map(([name, how]) => {
      const { events, report } = readCase(name);
      return [
        `=== ${name} (${how.signal ?? `exit ${how.exitCode}`})`,
        ...events.map(({ type, payload }) => `${type} ${JSON.stringify(payload)}`),
        ...Object.entries(report).flatMap(([key, value]) => shown(key, value)),
        '',
      ].join('\n');
    })
    .join('\n');
  await expect(text).toMatchFileSnapshot('../../../fixtures/agents/codex/golden.txt');
});

function shown(key: string, value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map((one) => `  ${key}: ${JSON.stringify(one)}`);
  return [`  ${key}: ${JSON.stringify(value)}`];
}

test.each(cases)('%s: exit code and last word agree', (name, { exitCode }) => {
  const { report } = readCase(name);
  expect(report.terminal === 'success').toBe(exitCode === 0);
  // Whoever failed says why, unless a signal ended it.
  if (exitCode !== undefined && exitCode !== 0) expect(report.faults).toHaveLength(1);
});

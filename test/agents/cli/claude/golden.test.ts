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
  await expect(text).toMatchFileSnapshot('../../../fixtures/agents/claude/golden.txt');
});

function shown(key: string, value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map((one) => `  ${key}: ${JSON.stringify(one)}`);
  return [`  ${key}: ${JSON.stringify(value)}`];
}

/** Their exit code is that of a success. */
const untrue = new Set(['hang-sigint', 'own-command']);

test.each(cases)('%s: what it says is what it did', (name, { exitCode }) => {
  const { events, report } = readCase(name);
  const isWell = exitCode === 0 && !untrue.has(name);
  expect(report.terminal === 'success').toBe(isWell);
  if (isWell) expect(report.faults).toEqual([]);
  // Whoever failed says why, unless it was ended from outside.
  else if (exitCode !== 143 && name !== 'hang-sigint') expect(report.faults).toHaveLength(1);
  expect(events.filter(({ payload }) => payload.final === true).length).toBeLessThanOrEqual(2);
});

test.each(cases)('%s: what its events tell of tokens and money is what it used', (name) => {
  const { events, report } = readCase(name);
  const told = { input_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0, output_tokens: 0 };
  let cost: number | undefined;
  for (const { payload } of events) {
    const { usage, cost_usd: usd } = payload as { usage?: typeof told; cost_usd?: number };
    if (usage) for (const key of Object.keys(told) as (keyof typeof told)[]) told[key] += usage[key];
    if (usd !== undefined) cost = (cost ?? 0) + usd;
  }
  if (report.usage) expect(told).toEqual(report.usage);
  expect(cost ?? null).toBe(report.costUsd);
});

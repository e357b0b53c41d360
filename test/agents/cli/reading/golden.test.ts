/**
 * Every recorded stream gives the events and the report that stand in `golden.txt` of its kind. After a change that is meant,
 * look at what `vitest run -u` made of it.
 */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builtinCliKinds } from '../../../../src/agents/cli/kinds.ts';
import { recordings, streamsOf } from '../recorded.ts';

/** Their exit code is that of a success, and they are none. */
const untrue: Readonly<Record<string, readonly string[]>> = {
  claude: ['hang-sigint', 'own-command'],
  gemini: ['drop', 'midstream', 'stall-sigterm', 'tool-kill-group'],
  opencode: ['readout', 'trunc', 'write-read', 'writeout'],
};

describe.each([...builtinCliKinds.values()])('$name', (kind) => {
  const cases = recordings(kind.name);
  const { readCase } = streamsOf(kind);

  test('the recorded streams are read as they always were', async () => {
    const text = cases.map(({ name, exitCode, signal }) => {
      const { events, report } = readCase(name);
      return [
        `=== ${name} (${signal ?? `exit ${exitCode}`})`,
        ...events.map(({ type, payload }) => `${type} ${JSON.stringify(payload)}`),
        ...Object.entries(report).flatMap(([key, value]) => shown(key, value)),
        '',
      ].join('\n');
    });
    const golden = join(import.meta.dirname, '../../../fixtures/agents', kind.name, 'golden.txt');
    await expect(text.join('\n')).toMatchFileSnapshot(golden);
  });

  test.each(cases)('$name: exit code and last word agree', ({ name, exitCode }) => {
    const { events, report } = readCase(name);
    const isWell = exitCode === 0 && !untrue[kind.name]?.includes(name);
    expect(report.terminal === 'success').toBe(isWell);
    if (isWell) expect(report.faults).toEqual([]);
    // Whoever failed says why, unless a signal ended it.
    else if (exitCode !== undefined && exitCode > 0 && exitCode < 128) expect(report.faults).not.toEqual([]);
    expect(events.filter(({ payload }) => payload.final === true).length).toBeLessThanOrEqual(2);
  });
});

function shown(key: string, value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map((one) => `  ${key}: ${JSON.stringify(one)}`);
  return [`  ${key}: ${JSON.stringify(value)}`];
}

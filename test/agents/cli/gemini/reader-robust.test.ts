/** Whatever comes, the reader gives events and a report. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GeminiReader } from '../../../../src/agents/cli/gemini/reader.ts';
import type { CliLine } from '../../../../src/agents/cli/kind.ts';
import { linesOf, now, recording } from '../recorded.ts';

const known = [
  ...['text', 'multi-yolo-model', 'readout-default', 'policy-deny', 'e429', 'midstream', 'loop-maxturns'],
].flatMap((name) => linesOf(recording('gemini', name).stdout));

const words = fc.constantFrom(
  ...['init', 'message', 'tool_use', 'tool_result', 'error', 'result', 'other'],
  ...['success', 'error', 'warning', 'assistant', 'user', 'write_todos', 'run_shell_command', '__proto__'],
);
const value = fc.oneof(words, fc.jsonValue({ maxDepth: 3 }));
const made = fc.dictionary(
  fc.constantFrom(
    ...['type', 'role', 'content', 'status', 'severity', 'message', 'error', 'stats', 'output', 'parameters'],
    ...['tool_name', 'tool_id', 'session_id', 'model', 'delta'],
  ),
  value,
);
const line: fc.Arbitrary<CliLine> = fc.oneof(
  fc.constantFrom(...known),
  // A real line with one field changed.
  fc
    .record({ base: fc.constantFrom(...known), change: made })
    .map(({ base, change }) =>
      base.kind === 'json' ? { ...base, value: { ...base.value, ...change } } : base,
    ),
  made.map((one) => ({ kind: 'json', value: one }) as const),
  fc.string().map((text) => ({ kind: 'text', text }) as const),
  fc.nat().map((bytes) => ({ kind: 'oversized', bytes }) as const),
);

const types = ['status', 'progress', 'finding', 'task', 'blocker', 'milestone', 'review', 'error'];

test('no sequence of lines makes it throw, and one result is all that counts', () => {
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 60 }),
      fc.option(fc.integer({ min: 0, max: 255 }), { nil: undefined }),
      fc.string(),
      (lines, exitCode, stderr) => {
        const reader = new GeminiReader();
        const events = lines.flatMap((one) => reader.line(one));
        const report = reader.end({ ...(exitCode !== undefined && { exitCode }), stderr, now });
        for (const { type } of events) expect(types).toContain(type);
        const finals = events.filter(({ payload }) => payload.final === true);
        expect(finals.length).toBe(reader.hasEnded ? 1 : 0);
        expect(report.terminal === 'none').toBe(!reader.hasEnded);
        if (report.terminal === 'success') expect(report.faults).toEqual([]);
        expect(finals[0]?.payload.usage).toEqual(report.usage);
        JSON.stringify(report);
      },
    ),
    { numRuns: 1_000 },
  );
});

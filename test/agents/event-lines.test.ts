import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventSplitter, parseEvent, UsageSum } from '../../src/agents/event-lines.ts';
import type { AgentEvent } from '../../src/types/agent.ts';

function split(chunks: readonly Buffer[]): { events: AgentEvent[]; result: Buffer } {
  const events: AgentEvent[] = [];
  const pieces: Buffer[] = [];
  const splitter = new EventSplitter({
    event: (event) => void events.push(event),
    result: (bytes) => void pieces.push(Buffer.from(bytes)),
  });
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return { events, result: Buffer.concat(pieces) };
}

const event = '{"type":"progress","payload":{"progress":0.5}}';

test.for([
  [event, true],
  [`${event}\r\n`, true],
  ['{"type":"nonsense","payload":{}}', false],
  ['{"type":"status"}', false],
  ['{"type":"status","payload":[]}', false],
  ['{"type":"status","payload":"x"}', false],
  ['{"type":"status","payload":{}', false],
  ['"type"', false],
  ['null', false],
] as const)('%s', ([line, is]) => {
  expect(parseEvent(Buffer.from(line)) !== undefined).toBe(is);
});

test('events are taken out, everything else stays byte for byte, wherever the chunks end', () => {
  const line = fc.oneof(
    fc.constant(Buffer.from(event)),
    fc
      .constantFrom('', '{', '{}', '{"type":"status"', 'text', ` ${event}`, `x${event}`)
      .map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0x0a))),
  );
  fc.assert(
    fc.property(
      fc.array(line),
      fc.boolean(),
      fc.infiniteStream(fc.integer({ min: 1, max: 30 })),
      (lines, ends, sizes) => {
        const whole = Buffer.concat(
          lines.flatMap((one, i) => [one, Buffer.from(ends || i < lines.length - 1 ? '\n' : '')]),
        );
        const chunks: Buffer[] = [];
        for (let at = 0; at < whole.length; ) {
          const size = sizes.next().value ?? 1;
          chunks.push(whole.subarray(at, at + size));
          at += size;
        }
        const { events, result } = split(chunks);
        const isEvent = (one: Buffer) => one.toString() === event;
        const rest = lines.flatMap((one, i) =>
          isEvent(one) ? [] : [one, Buffer.from(ends || i < lines.length - 1 ? '\n' : '')],
        );
        expect(events).toHaveLength(lines.filter(isEvent).length);
        expect(result).toEqual(Buffer.concat(rest));
      },
    ),
  );
});

test('a line of 10 MiB that starts like an event passes without being held', () => {
  const long = Buffer.from(`{"type":"status","payload":{"text":"${'x'.repeat(10 << 20)}"}}\n`);
  const chunks = Array.from({ length: Math.ceil(long.length / 65536) }, (_, i) =>
    long.subarray(i * 65536, (i + 1) * 65536),
  );
  const { events, result } = split([...chunks, Buffer.from(`${event}\n`)]);
  expect(events).toHaveLength(1);
  expect(result.equals(long)).toBe(true);
});

test('usage and cost add up; what is no number counts nothing', () => {
  const sum = new UsageSum();
  const add = (payload: Record<string, unknown>) => sum.add({ type: 'status', payload });
  add({});
  expect([sum.usage, sum.costUsd]).toEqual([undefined, null]);
  add({ cost_usd: 0.25, usage: { input_tokens: 10, output_tokens: 'many' } });
  add({ cost_usd: -1, usage: { input_tokens: 5, output_tokens: 2, cache_read_tokens: Number.NaN } });
  add({ cost_usd: 0.5, usage: null });
  expect(sum.costUsd).toBe(0.75);
  expect(sum.usage).toEqual({
    input_tokens: 15,
    cache_read_tokens: 0,
    cache_write_tokens: 0,
    output_tokens: 2,
  });
});

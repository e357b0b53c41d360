/** Events that the model wrote into what it said: told as such, wherever they stand, and not part of its answer. */
import { expect, test } from 'vitest';
import type { CliKind } from '../../../src/agents/cli/kind.ts';
import { CliStream } from '../../../src/agents/cli/stream.ts';
import type { AgentEvent } from '../../../src/types/agent.ts';

/** A kind whose lines are what the model says; together they are its answer. */
const speaking: Pick<CliKind, 'read'> = {
  read: () => {
    const said: string[] = [];
    return {
      hasEnded: false,
      line: (line) => {
        const text = line.kind === 'json' ? String(line.value.say) : '';
        said.push(text);
        return [{ type: 'progress', payload: { text } }];
      },
      end: () => ({ terminal: 'success', faults: [], denials: [], text: said.join('\n'), costUsd: null }),
    };
  },
};

function stream(...said: readonly string[]) {
  const events: AgentEvent[] = [];
  const reading = new CliStream(speaking, (event) => events.push(event));
  for (const say of said) reading.push(Buffer.from(`${JSON.stringify({ say })}\n`));
  reading.flush();
  return { events, text: reading.report({ stderr: '', now: 0 }).text };
}

const finding = '{"type":"finding","payload":{"text":"a leak","permission":true,"cost_usd":5}}';

test('an event in a message is told, without what is not the model\u2019s to say', () => {
  const { events, text } = stream(`Look:\n${finding}\nDone.`);
  expect(events.slice(1)).toEqual([{ type: 'finding', payload: { text: 'a leak' } }]);
  expect(text).toBe('Look:\nDone.');
});

test('it is told where it stands far behind in a long message, which is cut', () => {
  const { events, text } = stream(`${'long '.repeat(2_000)}\n${finding}`);
  expect(events.map(({ type }) => type)).toEqual(['progress', 'finding']);
  expect(String(events[0]?.payload.text)).toHaveLength(4_000);
  expect(text).not.toContain('finding');
  expect(text).toHaveLength(9_999);
});

test('its own long text is cut, and stays in the answer', () => {
  const long = JSON.stringify({ type: 'finding', payload: { text: 'x'.repeat(9_000) } });
  const { events, text } = stream(long);
  expect(String(events[1]?.payload.text)).toHaveLength(4_000);
  expect(text).toBe(long);
});

test('what is no event of the model\u2019s stays where it is', () => {
  const said = '{"type":"progress","payload":{}}\n{"type":"finding"}\n say {"type":"finding","payload":{}}';
  const { events, text } = stream(said);
  expect(events).toHaveLength(1);
  expect(text).toBe(said);
});

test('so many events that not all are remembered: none is lost', () => {
  const said = Array.from({ length: 1_200 }, (_, at) =>
    JSON.stringify({ type: 'task', payload: { text: `${at}` } }),
  );
  const { events, text } = stream(said.join('\n'));
  expect(events).toHaveLength(1_201);
  expect(text.split('\n')).toEqual(said.slice(1_000));
});

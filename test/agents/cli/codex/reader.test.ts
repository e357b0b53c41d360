import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codexKind } from '../../../../src/agents/cli/codex/codex.ts';
import { CodexReader } from '../../../../src/agents/cli/codex/reader.ts';
import type { CliLine } from '../../../../src/agents/cli/kind.ts';
import { Repeats } from '../../../../src/agents/live/repeats.ts';
import { commandOf } from '../../../../src/agents/live/tripwire.ts';
import { jsonLines as lines, noon, streamsOf } from '../recorded.ts';

const { readCase, readStream } = streamsOf(codexKind);

const started = [{ type: 'thread.started', thread_id: 't-1' }, { type: 'turn.started' }];
const usage = { input_tokens: 100, cached_input_tokens: 60, cache_write_input_tokens: 10, output_tokens: 7 };
const completed = { type: 'turn.completed', usage };

function item(type: string, fields: object, on = 'item.completed', id = 'item_0'): object {
  return { type: on, item: { id, type, ...fields } };
}

function command(text: string, on: string, id: string, more: object = {}): object {
  return item(
    'command_execution',
    { command: text, aggregated_output: '', exit_code: null, ...more },
    on,
    id,
  );
}

describe('the answer', () => {
  test('is the last message; what was said before is progress', () => {
    const { events, report } = readStream(
      lines(
        ...started,
        item('agent_message', { text: 'I look' }),
        item('agent_message', { text: 'All is well' }),
        completed,
      ),
    );
    expect(report.text).toBe('All is well');
    expect(events.filter(({ type }) => type === 'progress').map(({ payload }) => payload.text)).toEqual([
      'I look',
      'All is well',
    ]);
  });

  test('is taken from the file when the stream left it out', () => {
    const reader = new CodexReader();
    for (const value of [...started, item('agent_message', { text: 'I look' })])
      reader.line({ kind: 'json', value: value as Record<string, unknown> });
    reader.line({ kind: 'oversized', bytes: 20 << 20 });
    reader.line({ kind: 'json', value: completed });
    const end = { exitCode: 0, stderr: '', now: noon };
    expect(reader.end({ ...end, lastMessage: 'the long answer' }).text).toBe('the long answer');
    expect(reader.end({ ...end, lastMessage: '\n' }).text).toBe('I look');
  });

  test('of a turn that failed is what it had said so far', () => {
    const failed = {
      type: 'turn.failed',
      error: { message: 'Quota exceeded. Check your plan and billing details.' },
    };
    const { report } = readStream(lines(...started, item('agent_message', { text: 'half' }), failed), {
      exitCode: 1,
      lastMessage: 'of an earlier turn',
    });
    expect(report).toMatchObject({ terminal: 'failure', text: 'half', faults: [{ class: 'quota' }] });
  });
});

describe('usage', () => {
  test('is told in buckets that exclude each other', () => {
    const { report, events } = readStream(lines(...started, completed));
    const exclusive = { input_tokens: 30, cache_read_tokens: 60, cache_write_tokens: 10, output_tokens: 7 };
    expect(report.usage).toEqual(exclusive);
    expect(events.at(-1)).toMatchObject({
      type: 'milestone',
      payload: { progress: 100, final: true, usage: exclusive },
    });
  });

  test('of a second turn is a sum over both: only what is new is told', () => {
    const more = { ...completed, usage: { ...usage, input_tokens: 150, output_tokens: 9 } };
    const { report, events } = readStream(lines(...started, completed, { type: 'turn.started' }, more));
    expect(report.usage).toEqual({
      input_tokens: 80,
      cache_read_tokens: 60,
      cache_write_tokens: 10,
      output_tokens: 9,
    });
    expect(events.at(-1)?.payload.usage).toEqual({
      ...{ input_tokens: 50, cache_read_tokens: 0, cache_write_tokens: 0, output_tokens: 2 },
    });
  });

  test('that is not told is unknown, not nothing', () => {
    expect(readStream(lines(...started, { type: 'turn.completed' })).report.usage).toBeUndefined();
    expect(
      readStream(lines(...started, { type: 'turn.completed', usage: { tokens: 'many' } })).report.usage,
    ).toBeUndefined();
  });
});

describe('calls of tools', () => {
  test('a command is told once, in the words that the live watch understands', () => {
    const { events } = readStream(
      lines(
        ...started,
        command('/bin/bash -lc "git push"', 'item.started', 'a'),
        command('/bin/bash -lc "git push"', 'item.updated', 'a'),
        command('/bin/bash -lc "git push"', 'item.completed', 'a', { exit_code: 0, status: 'completed' }),
      ),
    );
    expect(events.flatMap((event) => commandOf(event) ?? [])).toEqual(['/bin/bash -lc "git push"']);
  });

  test('a quick one that was never started is told, too', () => {
    const { events } = readStream(lines(...started, command('ls', 'item.completed', 'a', { exit_code: 0 })));
    expect(events.flatMap((event) => commandOf(event) ?? [])).toEqual(['ls']);
  });

  test('the same command again and again is being stuck; with a change of files in between it is not', () => {
    const times = (between: readonly object[]) =>
      Array.from({ length: 8 }, (_, i) => [command('npm test', 'item.started', `c${i}`), ...between]).flat();
    const stuckAfter = (values: readonly object[]) => {
      const repeats = new Repeats(8);
      return readStream(lines(...started, ...values)).events.some(
        (event) => repeats.add(event) !== undefined,
      );
    };
    const change = item('file_change', {
      changes: [{ path: '/w/a.ts', kind: 'update' }],
      status: 'completed',
    });
    expect(stuckAfter(times([]))).toBe(true);
    expect(stuckAfter(times([change]))).toBe(false);
    // Changes of one file look the same and need not be.
    expect(stuckAfter(Array.from({ length: 9 }, () => change))).toBe(false);
    const wait = item('collab_tool_call', { tool: 'wait', receiver_thread_ids: ['x'] });
    expect(stuckAfter(Array.from({ length: 9 }, () => wait))).toBe(false);
  });

  test('other tools', () => {
    const { events } = readStream(
      lines(
        item(
          'mcp_tool_call',
          { server: 'tickets', tool: 'find', arguments: { id: 7 }, status: 'in_progress' },
          'item.started',
        ),
        item('mcp_tool_call', { server: 'tickets', tool: 'find', error: { message: 'no such ticket' } }),
        item('web_search', { query: 'inotify limits' }),
        item('reasoning', { text: 'It may be the lock' }),
      ),
    );
    expect(events.map(({ type, payload }) => [type, payload.tool, payload.text])).toEqual([
      ['progress', 'tickets.find', expect.any(String)],
      ['progress', undefined, 'tickets.find: no such ticket'],
      ['progress', 'web_search', 'web_search inotify limits'],
      ['status', undefined, 'It may be the lock'],
    ]);
  });

  test('what an MCP server was not let do is a denial that no launch lifts', () => {
    const error = { message: 'MCP tool call cancelled: interactive approval is unavailable in exec mode' };
    const { events, report } = readStream(
      lines(item('mcp_tool_call', { server: 'mail', tool: 'send', error })),
    );
    expect(events.at(-1)).toMatchObject({ type: 'blocker', payload: { permission: true } });
    expect(report.denials).toEqual([{ message: `mail.send: ${error.message}`, tool: 'mail.send' }]);
  });
});

describe('the end', () => {
  test('the terminal event is seen', () => {
    const reader = new CodexReader();
    expect(reader.hasEnded).toBe(false);
    reader.line({ kind: 'json', value: completed });
    expect(reader.hasEnded).toBe(true);
    reader.line({ kind: 'json', value: { type: 'turn.started' } });
    expect(reader.hasEnded).toBe(false);
    reader.line({ kind: 'json', value: { type: 'turn.failed', error: null } });
    expect(reader.hasEnded).toBe(true);
  });

  test('what it got over is no fault', () => {
    expect(readCase('e429x2').report.faults).toEqual([]);
  });

  test('what it died of while it tried again is one', () => {
    const error = {
      type: 'error',
      message: 'Reconnecting... 2/5 (unexpected status 503 Service Unavailable: busy, url: http://x)',
    };
    const dead = readStream(lines(...started, error), { signal: 'SIGKILL' });
    expect(dead.report).toMatchObject({ terminal: 'none', faults: [{ class: 'server' }] });
    const alive = readStream(lines(...started, error, item('agent_message', { text: 'on' })), {
      signal: 'SIGKILL',
    });
    expect(alive.report.faults).toEqual([]);
  });

  test('half a line and death: no last word, no fault made up', () => {
    const { report, events } = readStream(`${lines(...started)}{"type":"turn.comp`, { signal: 'SIGKILL' });
    expect(report).toMatchObject({ terminal: 'none', faults: [], text: '' });
    expect(events).toHaveLength(2);
  });

  test('words of another program on stderr are not its own once it works', () => {
    const stderr = 'tickets-mcp: unexpected status 401 Unauthorized\n';
    expect(readStream(lines(...started), { exitCode: 1, stderr }).report.faults).toEqual([]);
    expect(readStream('', { exitCode: 1, stderr }).report.faults).toMatchObject([{ class: 'auth' }]);
  });

  test('words of the model and of commands say nothing of faults and denials', () => {
    const text =
      'patch rejected: writing is blocked by read-only sandbox\nQuota exceeded\nRead-only file system';
    const { report } = readStream(
      lines(
        ...started,
        item('agent_message', { text }),
        command('cat notes', 'item.completed', 'c', {
          aggregated_output: text,
          exit_code: 0,
          status: 'completed',
        }),
        completed,
      ),
    );
    expect(report).toMatchObject({ terminal: 'success', faults: [], denials: [] });
  });
});

test('unknown events and items are nothing', () => {
  const { events, report } = readStream(
    lines(
      { type: 'thread.goal.updated', goal: {} },
      { type: 'item.completed', item: { id: 'x', type: 'hologram', text: 'hi' } },
      { type: 'item.completed' },
      { type: 'item.completed', item: 'no item' },
      { type: 7 },
      { hello: 1 },
      ...started,
      completed,
    ),
  );
  expect(events.map(({ type }) => type)).toEqual(['status', 'status', 'milestone']);
  expect(report.terminal).toBe('success');
});

test('no sequence of lines makes the reader throw, and what it says is bounded', () => {
  const types = [
    ...[
      'thread.started',
      'turn.started',
      'turn.completed',
      'turn.failed',
      'error',
      'item.started',
      'item.updated',
    ],
    ...['item.completed', 'nonsense'],
  ];
  const items = [
    ...[
      'agent_message',
      'reasoning',
      'command_execution',
      'file_change',
      'mcp_tool_call',
      'todo_list',
      'web_search',
    ],
    ...['collab_tool_call', 'error', 'plan', 'other'],
  ];
  const keys = [
    ...[
      'id',
      'type',
      'text',
      'command',
      'aggregated_output',
      'exit_code',
      'status',
      'changes',
      'items',
      'path',
      'kind',
    ],
    ...[
      'server',
      'tool',
      'arguments',
      'error',
      'message',
      'usage',
      'item',
      'thread_id',
      'query',
      'completed',
    ],
  ];
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom(...items, 'failed', 'Reconnecting... 1/5 (', 'Read-only file system'),
  );
  const { any } = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(word, fc.double(), fc.constant(null), fc.boolean()),
      fc.array(tie('any'), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom(...keys), tie('any'), { maxKeys: 6 }),
    ),
  }));
  const body = fc.dictionary(fc.constantFrom(...keys), any, { maxKeys: 8 });
  const json = fc
    .tuple(fc.constantFrom(...types), body, fc.constantFrom(...items), body)
    .map(([type, fields, kind, inner]): CliLine => {
      const value = type.startsWith('item')
        ? { ...fields, item: { ...inner, type: kind } }
        : { ...fields, type };
      return { kind: 'json', value: { ...value, type } };
    });
  const line = fc.oneof(
    { weight: 8, arbitrary: json },
    { weight: 1, arbitrary: body.map((value): CliLine => ({ kind: 'json', value })) },
    { weight: 1, arbitrary: fc.string().map((text): CliLine => ({ kind: 'text', text })) },
    { weight: 1, arbitrary: fc.nat().map((bytes): CliLine => ({ kind: 'oversized', bytes })) },
  );
  const stderr = fc.array(
    fc.oneof(
      fc.string(),
      fc.constantFrom('2026-11-20T08:50:25.5Z ERROR codex_core::tools::router: error=', 'error: unexpected'),
    ),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 40 }), stderr, fc.option(fc.integer()), (all, said, code) => {
      const reader = new CodexReader();
      const events = all.flatMap((one) => reader.line(one));
      for (const { payload } of events) {
        const { progress } = payload;
        if (progress !== undefined) expect(progress).toSatisfy((value: number) => value >= 0 && value <= 100);
      }
      const report = reader.end({
        ...(code !== null && { exitCode: code }),
        stderr: said.join('\n'),
        now: noon,
      });
      expect(report.terminal !== 'none').toBe(reader.hasEnded);
      for (const count of Object.values(report.usage ?? {})) expect(count).toBeGreaterThanOrEqual(0);
      expect(new Set(report.denials.map(({ message }) => message)).size).toBe(report.denials.length);
      expect(JSON.parse(JSON.stringify(report))).toMatchObject({ terminal: report.terminal });
    }),
    { numRuns: 400 },
  );
});

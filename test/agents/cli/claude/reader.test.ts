/** What the recorded streams do not hold: bad input, other versions, long work. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { claudeKind } from '../../../../src/agents/cli/claude/claude.ts';
import { ClaudeReader } from '../../../../src/agents/cli/claude/reader.ts';
import type { CliLine } from '../../../../src/agents/cli/kind.ts';
import { jsonLines as lines, linesOf, noon, recordings, streamsOf } from '../recorded.ts';

const { readCase, readStream } = streamsOf(claudeKind);

const answered = { type: 'result', subtype: 'success', is_error: false, result: 'Done.', num_turns: 1 };
const said = (...content: readonly object[]) => ({ type: 'assistant', message: { id: 'm1', content } });
const call = (name: string, input: object, id = 't1') => said({ type: 'tool_use', id, name, input });

describe('bad input', () => {
  test('half a line, then the end', () => {
    const { report } = readStream(
      `${lines(said({ type: 'text', text: 'Half' }))}{"type":"result","subtype":"suc`,
      {
        signal: 'SIGKILL',
      },
    );
    expect(report).toMatchObject({ terminal: 'none', faults: [], text: 'Half' });
  });

  test('keys in another order, events that nobody knows, NUL bytes, banners', () => {
    const { report, events } = readStream(
      [
        'Welcome!',
        '\0\0{"type":"result"}',
        '{"uuid":"x","type":"from_the_future","payload":{"text":"?"}}',
        '{"message":{"content":[{"text":"A\\u0000B","type":"text"}],"id":"m"},"type":"assistant"}',
        '{"result":"Done.","is_error":false,"num_turns":1,"subtype":"success","type":"result"}',
        '',
      ].join('\n'),
    );
    expect(report).toMatchObject({ terminal: 'success', text: 'Done.', faults: [] });
    expect(events.map(({ type }) => type)).toEqual(['progress', 'milestone']);
  });

  test.each([
    ['whether it failed is not said', { is_error: undefined }],
    ['that it failed is said as a text', { is_error: 'true' }],
    ['another end than a success', { subtype: 'error_max_turns' }],
  ])('no success without its word: %s', (_, more) => {
    expect(readStream(lines({ ...answered, ...more })).report.terminal).toBe('failure');
  });

  test('tokens that are not told are not known', () => {
    const end = { type: 'stream_event', event: { type: 'message_delta' } };
    expect(readStream(lines(said({ type: 'text', text: 'A' }), end)).report.usage).toBeUndefined();
  });

  test('a line that is too long is left out', () => {
    const reader = new ClaudeReader();
    expect(reader.line({ kind: 'oversized', bytes: 20 << 20 })).toEqual([]);
    expect(reader.end({ stderr: '', now: noon }).terminal).toBe('none');
  });

  test('a line of 10 MiB gives events of some kilobytes', () => {
    const { events, report } = readStream(
      lines(call('Write', { file_path: '/w/a', content: 'x'.repeat(10 << 20) }), {
        ...answered,
        result: 'y'.repeat(10 << 20),
      }),
    );
    expect(JSON.stringify(events).length).toBeLessThan(20_000);
    expect(report.text).toHaveLength(10 << 20);
  });

  test('deep nesting', () => {
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const line = `{"type":"assistant","message":{"content":[{"type":"tool_use","name":"X","id":"1","input":{"a":${deep}}}]}}\n`;
    expect(readStream(line).events).toHaveLength(1);
  });

  const known = recordings('claude').flatMap(({ stdout }) => linesOf(stdout));
  const word = fc.constantFrom(
    ...[
      'assistant',
      'user',
      'system',
      'result',
      'stream_event',
      'rate_limit_event',
      'init',
      'api_retry',
      'success',
    ],
    ...[
      'permission_denied',
      'tool_use',
      'tool_result',
      'text',
      'Bash',
      'TodoWrite',
      'TaskUpdate',
      'ReportFindings',
    ],
    ...['authentication_failed', 'rejected', 'refusal', '__proto__', 'bypassPermissions'],
  );
  const made = fc.dictionary(
    fc.constantFrom(
      ...[
        'type',
        'subtype',
        'message',
        'content',
        'input',
        'name',
        'id',
        'usage',
        'result',
        'is_error',
        'errors',
      ],
      ...[
        'permission_denials',
        'modelUsage',
        'model_usage_since_last_result',
        'total_cost_usd',
        'rate_limit_info',
      ],
      ...[
        'tool_use_id',
        'tool_name',
        'todos',
        'status',
        'resetsAt',
        'event',
        'tool_use_result',
        'error',
        'model',
      ],
    ),
    fc.oneof(
      word,
      fc.jsonValue({ maxDepth: 3 }),
      fc.double(),
      fc.boolean(),
      fc.array(fc.record({ type: word, name: word, input: fc.jsonValue({ maxDepth: 2 }) })),
    ),
  );
  const line: fc.Arbitrary<CliLine> = fc.oneof(
    fc.constantFrom(...known),
    fc
      .record({ base: fc.constantFrom(...known), change: made })
      .map(({ base, change }) =>
        base.kind === 'json' ? { ...base, value: { ...base.value, ...change } } : base,
      ),
    made.map((value) => ({ kind: 'json', value }) as const),
    fc.string().map((text) => ({ kind: 'text', text }) as const),
    fc.nat().map((bytes) => ({ kind: 'oversized', bytes }) as const),
  );

  test('no sequence of lines makes it throw, or say more than is there', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), fc.string(), (all, stderr) => {
        const reader = new ClaudeReader();
        const events = all.flatMap((one) => [...reader.line(one)]);
        const report = reader.end({ stderr, now: noon });
        const hasResult = all.some((one) => one.kind === 'json' && one.value.type === 'result');
        expect(report.terminal !== 'none').toBe(hasResult);
        if (hasResult) expect(reader.hasEnded).toBe(true);
        if (report.terminal === 'success') expect(report.faults).toEqual([]);
        for (const { payload } of events) {
          expect(typeof payload.text).toBe('string');
          expect(JSON.stringify(payload).length).toBeLessThan(300_000);
        }
        for (const { message } of [...report.faults, ...report.denials]) {
          expect(message).not.toBe('');
          expect(message.length).toBeLessThanOrEqual(600);
        }
        for (const amount of Object.values(report.usage ?? {})) expect(amount).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 400 },
    );
  });
});

describe('what it is told', () => {
  test('tasks, as a list and in pieces', () => {
    const todos = [
      { content: 'One', status: 'completed' },
      { content: 'Two', activeForm: 'Doing two', status: 'in_progress' },
      { content: 'Three', status: 'pending' },
    ];
    const { events } = readStream(lines(call('TodoWrite', { todos })));
    expect(events).toMatchObject([
      { type: 'task', payload: { text: '1 of 3 tasks done: Doing two', progress: 33 } },
    ]);
    expect(
      readCase('v169-tasks')
        .events.filter(({ type }) => type === 'task')
        .map(({ payload }) => payload.progress),
    ).toEqual([0, 0, 50]);
    const update = (status: string) => call('TaskUpdate', { taskId: '1', status });
    const reopened = readStream(
      lines(call('TaskCreate', { subject: 'One' }), update('completed'), update('in_progress')),
    );
    expect(reopened.events.map(({ payload }) => payload.progress)).toEqual([0, 100, 0]);
  });

  test('tokens of each message once, and what a message gave out at its end', () => {
    const usage = {
      input_tokens: 10,
      cache_read_input_tokens: 5,
      cache_creation_input_tokens: 3,
      output_tokens: 1,
    };
    const block = (text: string) => ({
      type: 'assistant',
      message: { id: 'm1', usage, content: [{ type: 'text', text }] },
    });
    const end = {
      type: 'stream_event',
      api_message_id: 'm1',
      event: { type: 'message_delta', usage: { output_tokens: 40 } },
    };
    const { report, events } = readStream(
      lines(
        block('a'),
        block('b'),
        end,
        { type: 'user', message: { content: [] } },
        said({ type: 'text', text: 'c' }),
      ),
    );
    expect(report.usage).toEqual({
      input_tokens: 10,
      cache_read_tokens: 5,
      cache_write_tokens: 3,
      output_tokens: 40,
    });
    expect(
      events.map(({ payload }) => (payload.usage as { output_tokens: number } | undefined)?.output_tokens),
    ).toEqual([1, undefined, 39]);
  });

  test('of a resumed session only what is new', () => {
    expect(readCase('resume-b').report).toMatchObject({ usage: { input_tokens: 1_000 }, costUsd: 0.004_72 });
  });

  test('the end of another message counts nothing to this one', () => {
    const message = { ...said({ type: 'text', text: 'a' }) };
    const usage = { input_tokens: 10, output_tokens: 1 };
    const end = (id: string, output_tokens: number) => ({
      ...{ type: 'stream_event', api_message_id: id },
      event: { type: 'message_delta', usage: { output_tokens } },
    });
    const { report } = readStream(
      lines({ ...message, message: { ...message.message, usage } }, end('m0', 500), end('m1', 7)),
    );
    expect(report.usage?.output_tokens).toBe(7);
  });

  test('totals of money of several results are sums of the session', () => {
    const result = (total_cost_usd: number) => ({
      ...{ ...answered, total_cost_usd },
      usage: { input_tokens: 1, output_tokens: 1 },
    });
    const { report, events } = readStream(lines(result(1), result(1.5)));
    expect(report.costUsd).toBe(1.5);
    expect(events.map(({ payload }) => payload.cost_usd)).toEqual([1, 0.5]);
    expect(report.usage).toMatchObject({ input_tokens: 2, output_tokens: 2 });
  });

  test('what a sub-agent says last is not the answer of one that was ended', () => {
    const own = said({ type: 'text', text: 'I ask a helper.' });
    const helper = { ...said({ type: 'text', text: 'I help.' }), parent_tool_use_id: 't1' };
    expect(readStream(lines(own, helper), { signal: 'SIGKILL' }).report.text).toBe('I ask a helper.');
  });

  test('a limit of the plan that the failed request tells, until when it holds', () => {
    const failed = {
      ...{ type: 'assistant', is_api_error_message: true, error: 'rate_limit', api_error_status: 429 },
      message: { model: '<synthetic>', content: [{ type: 'text', text: 'You cannot go on.' }] },
      rate_limit_info: { status: 'rejected', resetsAt: 1_795_300_000 },
    };
    const result = { ...answered, is_error: true, result: 'You cannot go on.', api_error_status: 429 };
    expect(readStream(lines(failed, result), { exitCode: 1 }).report.faults).toMatchObject([
      { class: 'quota', until: 1_795_300_000_000 },
    ]);
  });

  test('what sub-agents use, but not what they say', () => {
    const { report } = readCase('subagent');
    expect(report.text).toBe('Done.');
    expect(report.costUsd).toBeGreaterThan(0.01);
  });

  test('the price of a model that it does not know is not known', () => {
    expect(readCase('bad-model').report.costUsd).toBeNull();
  });

  test('a denial once, though it is told three times, and also by versions that tell it at the end', () => {
    expect(readCase('write-denied').report.denials).toHaveLength(1);
    expect(readCase('write-denied').events.filter(({ type }) => type === 'blocker')).toHaveLength(1);
    expect(readCase('v169-denied').report.denials).toMatchObject([
      { tool: 'Write', cure: { kind: 'access', access: 'edit' } },
    ]);
  });

  test('a wrong key ends it at the first retry; a log-in may still renew itself', () => {
    const retry = {
      type: 'system',
      subtype: 'api_retry',
      attempt: 1,
      max_retries: 6,
      retry_delay_ms: 500,
      error_status: 401,
      error: 'authentication_failed',
    };
    for (const [apiKeySource, isEnd] of [
      ['ANTHROPIC_API_KEY', true],
      ['none', false],
      ['apiKeyHelper', false],
    ] as const) {
      const reader = new ClaudeReader();
      for (const value of [{ type: 'system', subtype: 'init', apiKeySource }, retry])
        reader.line({ kind: 'json', value });
      expect(reader.hasEnded).toBe(isEnd);
      expect(reader.isHopeless).toBe(isEnd);
      expect(reader.end({ stderr: '', now: noon })).toMatchObject({
        terminal: 'none',
        faults: [{ class: 'auth' }],
      });
    }
  });

  test('one that gets on with a key that was refused is not hopeless any more', () => {
    const reader = new ClaudeReader();
    for (const value of [
      { type: 'system', subtype: 'init', apiKeySource: 'ANTHROPIC_API_KEY' },
      { type: 'system', subtype: 'api_retry', error: 'authentication_failed' },
      said({ type: 'text', text: 'Here I am.' }),
    ])
      reader.line({ kind: 'json', value });
    expect([reader.isHopeless, reader.hasEnded]).toEqual([false, false]);
    expect(reader.end({ stderr: '', now: noon }).faults).toEqual([]);
  });

  test('what it was about to try again when it was ended is why', () => {
    const retry = { type: 'system', subtype: 'api_retry', error_status: 529, error: 'overloaded' };
    expect(readStream(lines(retry), { signal: 'SIGTERM' }).report.faults).toMatchObject([
      { class: 'overloaded' },
    ]);
    expect(
      readStream(lines(retry, said({ type: 'text', text: 'x' })), { signal: 'SIGTERM' }).report.faults,
    ).toEqual([]);
  });

  test('a refusal is none of a success', () => {
    const { report } = readStream(lines({ ...answered, stop_reason: 'refusal' }));
    expect(report).toMatchObject({ terminal: 'failure', faults: [{ class: 'refused' }] });
  });

  test('after several results the last one counts', () => {
    const { report } = readStream(
      lines({ ...answered, result: 'First.' }, { ...answered, result: 'Second.' }),
    );
    expect(report.text).toBe('Second.');
  });
});

test('words of errors in answers and files are no faults', () => {
  const text =
    'API Error: 401 authentication_failed. Credit balance is too low. You have hit your session limit · resets 3pm';
  const { report } = readStream(
    lines(
      call('Read', { file_path: '/w/log' }),
      { type: 'user', message: { content: [{ type: 'tool_result', tool_use_id: 't1', content: text }] } },
      said({ type: 'text', text }),
    ),
    { exitCode: 1 },
  );
  expect(report.faults).toEqual([]);
});

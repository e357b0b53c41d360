/** What is put into events is bounded, whatever a stream holds. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  boundedArgs,
  cut,
  event,
  oneLine,
  percentDone,
  toolCall,
} from '../../../../src/agents/cli/reading/events.ts';

describe('texts', () => {
  test('a long one is cut, and says so', () => {
    expect(cut('a'.repeat(4_000))).toHaveLength(4_000);
    expect(cut('a'.repeat(4_001))).toBe(`${'a'.repeat(3_999)}…`);
  });

  test('no character is halved', () => {
    expect(cut(`${'a'.repeat(8)}😀bc`, 10)).toBe(`${'a'.repeat(8)}…`);
    expect(cut('😀'.repeat(3_000)).isWellFormed()).toBe(true);
  });

  test.each([
    ['\n\n  first \nsecond', 'first'],
    ['\u001b[31mred\u001b[0m \u0000and\u0007 more', 'red and more'],
    ['', ''],
    ['  \n ', ''],
  ])('one line of %j', (text, line) => {
    expect(oneLine(text)).toBe(line);
  });
});

test('what is not known is not there', () => {
  expect(event('status', { text: undefined, file: '', progress: undefined })).toEqual({
    type: 'status',
    payload: {},
  });
});

test.each([
  [1, 3, 33],
  [3, 3, 100],
  [4, 3, 100],
  [0, 3, 0],
  [0, 0, undefined],
  [Number.NaN, 3, undefined],
])('%s of %s steps are %s percent', (done, all, percent) => {
  expect(percentDone(done, all)).toBe(percent);
});

describe('calls of tools', () => {
  test('show their main argument', () => {
    expect(toolCall('Bash', { command: 'npm test\nnpm run lint', timeout: 5 })).toEqual({
      type: 'progress',
      payload: {
        text: 'Bash npm test',
        tool: 'Bash',
        args: { command: 'npm test\nnpm run lint', timeout: 5 },
      },
    });
    expect(toolCall('exec', ['bash', '-lc', 'ls']).payload.text).toBe('exec');
    expect(toolCall('exec', { command: ['bash', '-lc', 'ls'] }).payload.text).toBe('exec bash -lc ls');
  });

  test('of a shell are told so that blocked commands are seen', () => {
    expect(toolCall('run_shell_command', { command: 'ls' }, { isShell: true }).payload).toMatchObject({
      tool: 'bash',
      text: 'run_shell_command ls',
    });
  });

  test('without arguments say so: two of them are the same call', () => {
    expect(toolCall('List', undefined).payload.args).toEqual({});
  });

  test('stay different when their long arguments are', () => {
    const one = boundedArgs({ content: `${'a'.repeat(9_000)}1` });
    const other = boundedArgs({ content: `${'a'.repeat(9_000)}2` });
    expect(one).not.toEqual(other);
    expect(JSON.stringify(one).length).toBeLessThan(4_100);
  });

  test.each([
    ['deep in them', (last: number) => ({ a: { b: { c: { d: { e: last } } } } })],
    [
      'in a long list',
      (last: number) => ({ list: Array.from({ length: 60 }, (_, at) => (at < 59 ? 0 : last)) }),
    ],
    [
      'in many fields',
      (last: number) =>
        Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`f${at}`, at < 59 ? 0 : last])),
    ],
  ])('stay different when what differs is left out: %s', (_, args) => {
    expect(boundedArgs(args(1))).not.toEqual(boundedArgs(args(2)));
    expect(boundedArgs(args(1))).toEqual(boundedArgs(args(1)));
  });

  test('a long command stays whole for the live watch', () => {
    const command = `${'# padding\n'.repeat(1_000)}sudo reboot`;
    expect(boundedArgs({ command })).toEqual({ command });
  });

  test('a field that is called __proto__ is a field', () => {
    const args = boundedArgs(JSON.parse('{"__proto__":{"x":1}}')) as object;
    expect(Object.getPrototypeOf(args)).toBe(Object.prototype);
    expect(JSON.stringify(args)).toBe('{"__proto__":{"x":1}}');
  });
});

test('no arguments are too large, too deep, or break it', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 12 }), fc.nat(40), (value, copies) => {
      const wide = Array.from({ length: copies * 10 }, () => ({ value, long: 'x'.repeat(500) }));
      const bounded = JSON.stringify(boundedArgs({ wide, value })) ?? '';
      expect(bounded.length).toBeLessThan(200_000);
    }),
  );
  let deep: unknown = 'end';
  for (let i = 0; i < 100_000; i++) deep = [deep];
  expect(JSON.stringify(boundedArgs(deep))).toBe('[[[["…"]]]]');
  const texts = Array.from({ length: 500 }, () => 'x'.repeat(100_000));
  expect(JSON.stringify(boundedArgs({ texts })).length).toBeLessThan(70_000);
  for (const [type, payload] of [
    ['status', { file: 'f'.repeat(1 << 20), tool: 't'.repeat(1 << 20) }],
  ] as const)
    expect(JSON.stringify(event(type, payload)).length).toBeLessThan(4_096 + 400);
});

/** A plugin that throws, or gives something else than it should: an attempt fails with a reason, and nothing else. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CliKind } from '../../../src/agents/cli/kind.ts';
import { builtinCliKinds } from '../../../src/agents/cli/kinds.ts';
import { guardKind } from '../../../src/agents/plugins/guard.ts';
import { launchRequest } from '../cli/launch-request.ts';
import { now, readRecorded, recordings } from '../cli/recorded.ts';

const plain = builtinCliKinds.get('opencode') as CliKind;
const origin = { package: 'own', version: '1.2.3', dir: '/p/own', fingerprint: '1.2.3:0' };
/** @param changed Whatever a plugin may have instead. */
const guarded = (changed: object) => guardKind({ ...plain, ...changed } as CliKind, origin);
const boom = () => {
  throw new Error('boom');
};

test('a kind that is right reads and launches as it does by itself', () => {
  const kind = guarded({});
  for (const recorded of recordings('opencode'))
    expect(readRecorded(kind, recorded)).toEqual(readRecorded(plain, recorded));
  expect(kind.launch(launchRequest())).toEqual(plain.launch(launchRequest()));
  expect(kind.resume('id', '/x')).toBe(plain.resume('id', '/x'));
});

describe('launch', () => {
  const good = { args: [], env: {}, files: [] };

  test.each<[string, unknown, string]>([
    ['throws', boom, 'failed at a launch: boom'],
    ['gives a promise', () => Promise.reject(new Error('late')), 'it is a promise'],
    ['gives nothing', () => undefined, 'it is no object'],
    ['gives other arguments', () => ({ ...good, args: ['a', 7] }), '`args` is no list'],
    ['gives an argument with a zero byte', () => ({ ...good, args: ['a\0b'] }), '`args` is no list'],
    ['gives other variables', () => ({ ...good, env: { A: 1 } }), '`env` is no object of texts'],
    ['gives other files', () => ({ ...good, files: ['/project/.sluice/work/1/a'] }), '`files` is no list'],
    [
      'writes elsewhere',
      () => ({ ...good, files: [['/etc/passwd', 'x']] }),
      '"/etc/passwd" is not in the folder',
    ],
    [
      'writes above',
      () => ({ ...good, files: [['/project/.sluice/work/1/../2/x', 'x']] }),
      'is not in the folder of the job',
    ],
    ['links elsewhere', () => ({ ...good, links: [['/etc/x', '/etc/y']] }), '"/etc/x" is not in the folder'],
    ['gives another prompt', () => ({ ...good, stdin: Buffer.from('x') }), '`stdin` is no text'],
    ['reads elsewhere', () => ({ ...good, lastMessageFile: '/etc/passwd' }), '`lastMessageFile` is not in'],
  ])('%s', (_, launch, message) => {
    expect(() => guarded({ launch }).launch(launchRequest())).toThrow(
      expect.objectContaining({ code: 'PLUGIN_INVALID', message: expect.stringContaining(message) }),
    );
  });
});

describe('reading', () => {
  const line = { kind: 'json', value: { type: 'text' } } as const;
  const end = { stderr: '', now };
  const report = { terminal: 'success', faults: [], denials: [], text: 'done', costUsd: null };
  const reading = (reader: object) => {
    const made = guarded({
      read: () => ({ hasEnded: false, line: () => [], end: () => report, ...reader }),
    }).read();
    const events = made.line(line);
    return { events, hasEnded: made.hasEnded, report: made.end(end) };
  };

  test.each<[string, object, string]>([
    ['a line that throws', { line: boom }, 'failed while it read: boom'],
    ['a line that gives no list', { line: () => undefined }, 'gave no list of events'],
    ['a promise of events', { line: async () => [] }, 'gave no list of events'],
    ['a promise that is broken', { line: async () => boom() }, 'gave no list of events'],
    ['a list of promises', { line: () => [Promise.reject(new Error('late'))] }, 'is no type of an event'],
    ['a report that comes later', { end: async () => boom() }, '`end` gave no report'],
    ['an event of another type', { line: () => [{ type: 'party', payload: {} }] }, '"party" is no type'],
    [
      'an event that is no JSON',
      { line: () => [{ type: 'status', payload: { big: 1n } }] },
      'failed while it read',
    ],
    [
      'an event in a circle',
      {
        line: () => {
          const payload: Record<string, unknown> = {};
          payload.self = payload;
          return [{ type: 'status', payload }];
        },
      },
      'failed while it read',
    ],
    [
      'an event that is too large',
      { line: () => [{ type: 'status', payload: { a: 'x'.repeat(300_000) } }] },
      'too large',
    ],
    ['an end that throws', { end: boom }, 'failed at the end of its reading: boom'],
    ['an end that gives no report', { end: () => 'done' }, '`end` gave no report'],
    [
      'a field that throws',
      Object.defineProperty({}, 'hasEnded', { get: boom, enumerable: true, configurable: true }),
      'boom',
    ],
  ])('%s fails the attempt', (name, reader, message) => {
    const made =
      name === 'a field that throws'
        ? (() => {
            const kind = guarded({
              read: () =>
                Object.defineProperty({ line: () => [], end: () => report }, 'hasEnded', { get: boom }),
            }).read();
            return { events: kind.line(line), report: kind.end(end) };
          })()
        : reading(reader);
    expect(made.report).toMatchObject({
      ...{ terminal: 'failure', text: '', denials: [] },
      faults: [{ class: 'setup', message: expect.stringContaining(message) }],
    });
    expect(made.report.faults[0]?.message).toMatch(/^The plugin "own" 1\.2\.3 /);
  });

  test('a reader that cannot be made fails it, too', () => {
    for (const read of [boom, () => undefined, async () => boom()]) {
      const reader = guarded({ read }).read();
      expect([reader.line(line), reader.hasEnded]).toEqual([[], false]);
      expect(reader.end(end).terminal).toBe('failure');
    }
  });

  test('what is unknown is left out, a long text stays whole', () => {
    const { events, report: cleaned } = reading({
      line: () => [{ type: 'progress', payload: { text: 'x'.repeat(300_000), own: [1] }, other: 1 }],
      end: () => ({
        ...{
          terminal: 'failure',
          text: 7,
          sessionId: 7,
          costUsd: 'much',
          usage: { input_tokens: 3, more: 1 },
        },
        faults: [{ class: 'bad luck', message: 'm' }, null],
        denials: [
          { message: 'a', cure: { kind: 'access', access: 'everything' } },
          { message: 'b', cure: { kind: 'directory', path: 'relative' } },
          { message: 'c', cure: { kind: 'directory', path: '/a/../b', write: true } },
          { message: 'd', cure: { kind: 'tool', tool: 'Write', access: 'edit' } },
          { message: 'e', cure: { kind: 'root' } },
          // Whether it wants to write is not said: then the ceiling has to allow that.
          { message: 'f', cure: { kind: 'directory', path: '/b' } },
        ],
      }),
    });
    expect(events).toEqual([{ type: 'progress', payload: { text: 'x'.repeat(300_000), own: [1] } }]);
    expect(cleaned).toEqual({
      ...{ terminal: 'failure', text: '', costUsd: null },
      faults: [
        { class: 'server', message: 'm' },
        { class: 'server', message: 'It does not say why' },
      ],
      denials: [
        { message: 'a' },
        { message: 'b' },
        { message: 'c', cure: { kind: 'directory', path: '/b', write: true } },
        { message: 'd', cure: { kind: 'tool', tool: 'Write', access: 'edit' } },
        { message: 'e' },
        { message: 'f', cure: { kind: 'directory', path: '/b', write: true } },
      ],
      usage: { input_tokens: 3, cache_read_tokens: 0, cache_write_tokens: 0, output_tokens: 0 },
    });
  });

  test('whatever it gives, nothing is thrown', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withNullPrototype: true }), (given) => {
        reading({ line: () => given });
        reading({ line: () => [given] });
        reading({ end: () => given });
        reading({
          end: () => ({ ...report, faults: [given], denials: given, usage: given, structured: given }),
        });
      }),
      { numRuns: 300 },
    );
  });
});

describe('who is logged in', () => {
  const question = { env: {}, home: '/nonexistent' };

  test.each<[string, unknown, string]>([
    ['throws', boom, 'the plugin failed: boom'],
    ['fails later', async () => boom(), 'the plugin failed: boom'],
    ['says nothing', async () => undefined, 'the plugin failed'],
    ['says something else', async () => ({ state: 'yes', detail: 7, fix: 7 }), ''],
  ])('%s', async (_, loginState, detail) => {
    const state = await guarded({ loginState }).loginState(question);
    expect(state).toEqual({ state: 'unknown', detail: expect.stringContaining(detail) });
  });
});

test.each<[string, unknown, object]>([
  ['throws', boom, {}],
  ['fails later', async () => boom(), {}],
  ['says nothing', async () => undefined, {}],
  ['says something else', async () => ({ KEY: 7, NUL: 'a\0b', TOKEN: 't' }), { TOKEN: 't' }],
])('variables that it logs in by: %s', async (_, loginVariables, handed) => {
  const question = { env: {}, home: '/nonexistent' };
  expect(await guarded({ loginVariables }).loginVariables?.(question)).toEqual(handed);
});

test.each<[string, unknown, readonly string[]]>([
  ['throws', boom, []],
  ['fails later', async () => boom(), []],
  ['says nothing', async () => undefined, []],
  ['says something else', async () => ['KEY', 7], []],
  ['says what they are', async () => ['KEY', 'OTHER'], ['KEY', 'OTHER']],
])('variables that its key is in: %s', async (_, keyVariables, names) => {
  const question = { env: {}, home: '/nonexistent' };
  expect(await guarded({ keyVariables }).keyVariables?.(question)).toEqual(names);
});

test('a line to go on with that fails is none', () => {
  for (const resume of [boom, () => 7, () => '', async () => boom()])
    expect(guarded({ resume }).resume('id', '/')).toBeUndefined();
});

test('fields are what they were when it was loaded', () => {
  const programs = ['own'];
  const kind = guarded({ programs });
  programs.push('other');
  expect(kind.programs).toEqual(['own']);
});

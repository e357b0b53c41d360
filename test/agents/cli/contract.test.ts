/** The kinds that come with Sluice keep what authors of plugins are tested with (`sluice/plugin/contract`). */
import { describe, expect, test } from 'vitest';
import { agentKindContract, type KindRecording } from '../../../src/agents/cli/contract/contract.ts';
import type { CliKind, CliReader } from '../../../src/agents/cli/kind.ts';
import { builtinCliKinds } from '../../../src/agents/cli/kinds.ts';
import { recordings } from './recorded.ts';

type Expected = KindRecording['expect'];

/** @param requests To the stub of its service: each takes in 1,200 tokens, 200 of them cached, and gives out 34. */
const success = (requests: number, text?: string, denials = 0): Expected => ({
  ...{ terminal: 'success', fault: null, denials },
  ...(text !== undefined && { text }),
  usage: {
    input_tokens: 1_000 * requests,
    cache_read_tokens: 200 * requests,
    cache_write_tokens: 0,
    output_tokens: 34 * requests,
  },
});
const failure = (fault: Expected['fault'] = null, terminal: Expected['terminal'] = 'failure'): Expected => ({
  ...{ terminal, fault },
});
const answer = 'Stub final answer: the task is done.';

const expected: Readonly<Record<string, Readonly<Record<string, Expected>>>> = {
  claude: {
    text: { ...success(1, answer), costUsd: 0.00472 },
    'write-denied': { ...success(2, answer, 1), costUsd: 0.00944 },
    'writeout-acceptedits': success(2, answer, 1),
    // Its sub-agent's requests, too.
    subagent: { ...success(4), costUsd: 0.01888 },
    'e401-maxretries2': failure('auth'),
    quota: failure('quota'),
    'loop-maxturns': failure('limits'),
    'bad-flag': failure('flags', 'none'),
  },
  codex: {
    text: { ...success(1, answer), costUsd: null },
    'multi-yolo': success(3, answer),
    'write-readonly': success(2, answer, 1),
    'confined-shellout': success(2, undefined, 1),
    e401: failure('auth'),
    quota: failure('quota'),
    context: failure('context'),
    'stall-idle': failure('network'),
    'bad-flag': failure('flags', 'none'),
    'no-git': failure('setup', 'none'),
  },
  gemini: {
    'multi-yolo-model': { ...success(3, answer), costUsd: null },
    'readout-default': success(3, answer, 1),
    'write-default-call': success(2, undefined, 1),
    'e401-model': failure('auth'),
    'quota-model': failure('quota'),
    'no-key': failure('auth', 'none'),
  },
  opencode: {
    'text-edit': { ...success(1, answer), costUsd: 0.001068 },
    'shell-all': { ...success(3, 'Done.'), costUsd: 0.003204 },
    e401: failure('auth'),
    e500: failure('server'),
    readout: { terminal: 'none', fault: null, denials: 1 },
    writeout: { terminal: 'none', fault: null, denials: 2 },
    'bad-model': failure('model'),
  },
  copilot: {
    'text-edit': { ...success(1, answer), costUsd: null },
    'shell-edit': success(2, 'Done.', 1),
    e429: failure('rate'),
    'tool-sigterm-group': failure(),
    'bad-flag': failure('flags', 'none'),
  },
};

function samplesOf(kind: string): readonly KindRecording[] {
  const all = recordings(kind);
  return Object.entries(expected[kind] ?? {}).map(([name, expect]) => {
    const found = all.find((one) => one.name === name);
    if (!found) throw new Error(`There is no recording "${name}" of ${kind}`);
    return { ...found, expect };
  });
}

describe.each([...builtinCliKinds.keys()])('%s', (name) => {
  const kind = builtinCliKinds.get(name) as CliKind;
  for (const check of agentKindContract(kind, { recordings: samplesOf(name) }))
    test(check.name, async () => check.run());
});

describe('a kind that does not keep it is told so', () => {
  const good = builtinCliKinds.get('opencode') as CliKind;
  const recorded = samplesOf('opencode');
  const failing = async (kind: CliKind, samples: readonly KindRecording[] = recorded): Promise<string[]> => {
    const failed: string[] = [];
    for (const { name, run } of agentKindContract(kind, { recordings: samples }))
      try {
        await run();
      } catch {
        failed.push(name);
      }
    return failed;
  };
  const reading = (change: (reader: CliReader) => Partial<CliReader>): CliKind => ({
    ...good,
    read: () => {
      const reader = good.read();
      const own = {
        line: reader.line.bind(reader),
        end: reader.end.bind(reader),
        get hasEnded() {
          return reader.hasEnded;
        },
      };
      return Object.defineProperties(own, Object.getOwnPropertyDescriptors(change(reader)));
    },
  });
  const stdout = (recording: KindRecording | undefined) => recording?.stdout ?? '';
  let shared: CliReader | undefined;
  const told = new Set<string>();

  test('as it is, it keeps all of it', async () => {
    expect(await failing(good)).toEqual([]);
  });

  test.each<[string, CliKind, string]>([
    ['no program', { ...good, programs: [] }, 'describes itself'],
    ['any variable', { ...good, environment: ['*'] }, 'describes itself'],
    ['a place outside of the home', { ...good, home: [{ path: '../x' }] }, 'describes itself'],
    [
      'a log-in that is not there',
      { ...good, loginState: async () => ({ state: 'logged_in', detail: '' }) },
      'says who is logged in without asking anybody, and nobody where there is nothing',
    ],
    [
      'a folder that is not quoted',
      { ...good, resume: (id, cwd) => `cd ${cwd} && opencode ${id}` },
      'tells how to go on with a session as a line that a shell takes as it is meant',
    ],
    [
      'a folder that a shell looks into for commands',
      { ...good, resume: (id, cwd) => `cd "${cwd}" && opencode --session ${id}` },
      'tells how to go on with a session as a line that a shell takes as it is meant',
    ],
    [
      'a launch that differs each time',
      { ...good, launch: (request) => ({ ...good.launch(request), args: [crypto.randomUUID()] }) },
      'gives a launch for whatever it is asked, in the folder of the job, and the same each time',
    ],
    [
      'a file elsewhere',
      { ...good, launch: (request) => ({ ...good.launch(request), files: [['/etc/x', '']] }) },
      'gives a launch for whatever it is asked, in the folder of the job, and the same each time',
    ],
    [
      'a prompt as an argument',
      { ...good, launch: ({ prompt }) => ({ args: [prompt], env: {}, files: [] }) },
      'hands over the prompt whole, whatever it looks like and however long it is',
    ],
    [
      'a prompt in a variable',
      {
        ...good,
        launch: (request) => ({ ...good.launch(request), env: { PROMPT: request.prompt.slice(0, 1_000) } }),
      },
      'hands over the prompt whole, whatever it looks like and however long it is',
    ],
    [
      'a cure that its own launch does not know',
      {
        ...good,
        launch: (request) => good.launch({ ...request, access: request.access === 'all' ? 'all' : 'read' }),
      },
      'is started in another way after a denial or fault that it names a cure for',
    ],
    [
      'everything allowed',
      { ...good, launch: (request) => good.launch({ ...request, access: 'all' }) },
      'is started differently when it may only look and when it may do anything',
    ],
    [
      'folders left out',
      { ...good, launch: (request) => good.launch({ ...request, directories: [] }) },
      'is given the folders that it may work in',
    ],
    [
      'its own model',
      { ...good, launch: ({ model: _, ...request }) => good.launch(request) },
      'passes on the model that is asked for',
    ],
    [
      'success before the end',
      reading((reader) => ({ end: (end) => ({ ...reader.end(end), terminal: 'success' }) })),
      'says no success for a stream that was cut off before its end',
    ],
    [
      'a count twice',
      reading((reader) => ({ line: (line) => reader.line(line).flatMap((event) => [event, event]) })),
      'counts what was used once: its events together are its report',
    ],
    [
      'tokens that stand in two buckets',
      reading((reader) => ({
        end: (end) => {
          const { usage, ...report } = reader.end(end);
          if (usage === undefined) return report;
          const input_tokens = usage.input_tokens + usage.cache_read_tokens;
          return { ...report, usage: { ...usage, input_tokens } };
        },
      })),
      'reads "text-edit" as what it is, each time',
    ],
    [
      'a denial that is told to the first attempt alone',
      reading((reader) => ({
        end: (end) => {
          const report = reader.end(end);
          const denials = report.denials.filter(({ message }) => !told.has(message));
          for (const { message } of denials) told.add(message);
          return { ...report, denials };
        },
      })),
      'reads "readout" as what it is, each time',
    ],
    [
      'noise that throws',
      reading((reader) => ({
        line: (line) => {
          if (line.kind === 'oversized') throw new Error('too long');
          return reader.line(line);
        },
      })),
      'passes over what it does not know, banners and lines that are too long',
    ],
    [
      'fields that are trusted',
      reading((reader) => ({
        line: (line) => {
          if (line.kind === 'json') (line.value.part as { id?: string } | undefined)?.id?.startsWith('x');
          return reader.line(line);
        },
      })),
      'does not throw, whatever the fields of an event hold',
    ],
    [
      'faults looked for in answers',
      reading((reader) => ({
        end: (end) => {
          const report = reader.end(end);
          const faults = /API key/.test(report.text) ? [{ class: 'auth' as const, message: 'key' }] : [];
          return { ...report, faults: [...report.faults, ...faults] };
        },
      })),
      'takes words of an answer for no fault and no denial',
    ],
    [
      'progress of steps, not of a hundred',
      reading((reader) => ({
        line: (line) => [...reader.line(line), { type: 'status', payload: { progress: 101 } }],
      })),
      'gives events and reports that are plain and bounded',
    ],
    [
      'one reader for all',
      {
        ...good,
        read: () => {
          shared ??= good.read();
          return shared;
        },
      },
      'reads several streams at once, each by itself',
    ],
  ])('%s', async (_, kind, name) => {
    expect(await failing(kind)).toContain(name);
  });

  test('a flag that it says is unknown, and gives again', async () => {
    const check = 'is started in another way after a denial or fault that it names a cure for';
    const stubborn: CliKind = { ...good, launch: (request) => good.launch({ ...request, withoutFlags: [] }) };
    const unknown: KindRecording = {
      ...{ name: 'bad-flag', stdout: '', stderr: 'Unknown arguments: title', exitCode: 1 },
      expect: failure('flags', 'none'),
    };
    expect(await failing(good, [...recorded, unknown])).toEqual([]);
    expect(await failing(stubborn, [...recorded, unknown])).toContain(check);
  });

  test('a recording that means something else', async () => {
    const [first] = recorded;
    const wrong = [
      { ...(first as KindRecording), stdout: stdout(recorded.find((one) => one.name === 'e401')) },
    ];
    expect(await failing(good, [...wrong, ...recorded.slice(1)])).toContain(
      'reads "text-edit" as what it is, each time',
    );
  });

  test('no success, or nothing but', async () => {
    for (const some of [recorded.slice(2), recorded.slice(0, 2)])
      expect(await failing(good, some)).toContain('is tested with a success and with a failure');
  });
});

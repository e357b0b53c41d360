/** Kind `command`, from the call to the result, with real commands. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Agents, createAgents } from '../../src/agents/agents.ts';
import { findCommand } from '../../src/agents/find-command.ts';
import type { EnvEntry } from '../../src/config/config.ts';
import type { AgentCall } from '../../src/types/agent.ts';
import { agent, call, never, newTag, noConditions, noSecrets, tempDir } from './attempts.ts';

const dir = tempDir();
let agents: Agents;
const redacting = {
  resolve: (text: string) => text.replace('${env:KEY}', 'hush-hush'),
  register: () => {},
  redact: (text: string) => text.replaceAll('hush-hush', '[redacted]'),
  async redactFile(path: string) {
    writeFileSync(path, readFileSync(path, 'latin1').replaceAll('hush-hush', '[redacted]'), 'latin1');
  },
};
const daemonEnv = {
  PATH: process.env.PATH,
  HOME: '/home/x',
  LC_ALL: 'C.UTF-8',
  https_proxy: 'http://proxy',
  NOTIFY_SOCKET: '/run/notify',
  WATCHDOG_USEC: '1',
  SLUICE_TOKEN: 'secret',
  AWS_SECRET_ACCESS_KEY: 'secret',
  WANTED: 'yes',
};

beforeAll(async () => {
  const stateDir = join(dir, '.sluice');
  mkdirSync(stateDir);
  const common = {
    stateDir,
    projectDir: dir,
    tag: newTag(),
    graceMs: 200,
    conditions: noConditions,
    env: daemonEnv,
  };
  agents = await createAgents({ ...common, secrets: redacting });
});
afterAll(() => agents[Symbol.asyncDispose]());

const command = (words: readonly string[], more: Parameters<typeof agent>[1] = {}) =>
  agent({ kind: 'command', command: words }, more);
const run = async (
  words: readonly string[],
  name: string | Buffer = 'a.txt',
  more: Partial<AgentCall> & { env?: EnvEntry[] } = {},
) => {
  const { env = [], ...rest } = more;
  const attempt = call(dir, command(words, { env }), name, rest);
  return { attempt, result: await agents.run(attempt, never) };
};
const textOf = (result: { resultFile?: string }) => readFileSync(result.resultFile as string, 'utf8');

test('each value stays one argument, bytes and all', async () => {
  const names = [
    'a b.txt',
    "it's.txt",
    'x"y',
    'new\nline',
    '$(touch hacked)',
    '`id`',
    '-rf',
    '..x',
    '${{ prompt }}',
    'ä\u0308',
  ];
  for (const name of [
    ...names.map((text) => Buffer.from(text)),
    Buffer.from([0x66, 0xff, 0x80, 0x2e, 0x63]),
  ]) {
    const { result } = await run(
      ['printf', '%s\\0', 'x=${{ file.rel }}', '${{ file.path }}', '${{ file.bytes }}'],
      name,
    );
    const path = Buffer.concat([Buffer.from(`${dir}/inbox/`), name]);
    const expected = Buffer.concat(['x=', name, '\0', path, '\x005\0'].map((part) => Buffer.from(part)));
    expect(readFileSync(result.resultFile as string)).toEqual(expected);
  }
  expect(readdirSync(dir)).not.toContain('hacked');
});

test('an expression decides what an argument is, and one that cannot be evaluated starts nothing', async () => {
  const { result } = await run(
    [
      'printf',
      '%s|',
      "${{ file.ext == '.txt' && 'text' || 'other' }}",
      '--n=${{ length(files) }}',
      '${{ prompt }}',
    ],
    'a b.txt',
    { prompt: "It is ${{ file.bytes > 4 && 'large' || 'small' }}: $${{" },
  );
  expect(textOf(result)).toBe('text|--n=1|It is large: ${{|');
  await expect(run(['touch', join(dir, 'started'), '${{ fromJSON(file.name).x }}'])).rejects.toMatchObject({
    code: 'EXPRESSION',
    message: expect.stringContaining('"a.txt" is no JSON'),
    fix: expect.stringMatching(/\w/),
  });
  expect(existsSync(join(dir, 'started'))).toBe(false);
});

test('the environment: what it gets and what it never sees', async () => {
  const env: EnvEntry[] = [
    { kind: 'pass', name: 'WANTED' },
    { kind: 'pass', name: 'NOTIFY_SOCKET' },
    { kind: 'pass', name: 'NOT_THERE' },
    { kind: 'set', name: 'OWN', value: 'a=b c' },
  ];
  const { attempt, result } = await run(['env', '-0'], 'a.txt', { env, prompt: 'Look at ${{ file.name }}' });
  const seen = Object.fromEntries(
    textOf(result)
      .split('\0')
      .filter(Boolean)
      .map((one) => one.split(/=(.*)/s)),
  );
  expect(seen).toEqual({
    ...{
      PATH: daemonEnv.PATH,
      HOME: '/home/x',
      LC_ALL: 'C.UTF-8',
      https_proxy: 'http://proxy',
      WANTED: 'yes',
      OWN: 'a=b c',
    },
    SLUICE_FILE: `${dir}/inbox/a.txt`,
    SLUICE_FILES: join(attempt.workDir, 'files'),
    SLUICE_ROOT: `${dir}/inbox`,
    SLUICE_OUTPUT_DIR: attempt.outputDir,
    SLUICE_JOB_ID: attempt.jobId,
    ...{ SLUICE_SESSION_ID: 's1', SLUICE_RULE: 'all', SLUICE_DEPTH: '0' },
    SLUICE_PROMPT_FILE: join(attempt.workDir, 'prompt'),
    SLUICE_PROJECT: expect.any(String),
    SLUICE_ATTEMPT: expect.any(String),
    ...(result.sandbox.backend === 'bwrap' && { PWD: dir, TMPDIR: '/tmp' }),
  });
  expect(readFileSync(seen.SLUICE_FILES as string, 'utf8')).toBe(`${dir}/inbox/a.txt\0`);
  expect(readFileSync(seen.SLUICE_PROMPT_FILE as string, 'utf8')).toBe('Look at a.txt');
});

test('stdout is the result; the file is moved, not copied', async () => {
  const { attempt, result } = await run(['sh', '-c', 'printf "a\\nb"; echo why >&2; exit 2']);
  expect(result).toMatchObject({
    outcome: { kind: 'exited', exitCode: 2 },
    resultBytes: 3,
    events: 0,
    costUsd: null,
    stderrTail: 'why\n',
  });
  expect(textOf(result)).toBe('a\nb');
  expect(existsSync(join(attempt.workDir, 'stdout'))).toBe(false);
  expect(statSync(result.resultFile as string).mode & 0o777).toBe(0o600);
});

test('no output, no result', async () => {
  const { result } = await run(['true']);
  expect(result).toMatchObject({ outcome: { kind: 'exited', exitCode: 0 }, resultBytes: 0, stderrTail: '' });
  expect(result.resultFile).toBeUndefined();
});

test('event lines go to events.jsonl, with what they say of usage and cost', async () => {
  const first = '{"type":"progress","payload":{"progress":0.5}}';
  const last = '{"type":"status","payload":{"usage":{"input_tokens":3,"output_tokens":4},"cost_usd":0.5}}';
  const { attempt, result } = await run(['printf', '%s\\n', '# Report', first, '{"type": half', last]);
  expect(textOf(result)).toBe('# Report\n{"type": half\n');
  expect(readFileSync(join(attempt.workDir, 'events.jsonl'), 'utf8')).toBe(`${first}\n${last}\n`);
  expect(result).toMatchObject({ events: 2, costUsd: 0.5, usage: { input_tokens: 3, output_tokens: 4 } });
  expect(readdirSync(attempt.workDir).toSorted()).toEqual([
    'events.jsonl',
    'files',
    'outputs',
    'result.md',
    'stderr',
  ]);
});

test('numbers that nobody can have used are not known: they would spoil every sum', async () => {
  const wild = '{"type":"status","payload":{"usage":{"input_tokens":1e308},"cost_usd":1e308}}';
  const { result } = await run(['printf', '%s\\n', wild, wild]);
  expect(result).toMatchObject({ events: 2, costUsd: null });
  expect(result.usage).toBeUndefined();
});

test('links that a command puts in place of its output are not followed', async () => {
  const target = join(dir, 'precious');
  writeFileSync(target, 'untouched');
  const plant = `cd "$(dirname "$SLUICE_OUTPUT_DIR")"; echo x; echo y >&2; rm stdout stderr; ln -s ${target} stdout; ln -s ${target} stderr; ln -s ${target} result.md.part; ln -s ${target} result.md`;
  const { attempt, result } = await run(['sh', '-c', plant]);
  expect(result).toMatchObject({ outcome: { kind: 'exited', exitCode: 0 }, resultBytes: 0, stderrTail: '' });
  expect(result.resultFile).toBeUndefined();
  const again = await agents.run({ ...attempt, attempt: 2 }, never);
  expect(again.outcome).toMatchObject({ kind: 'spawn_failed', code: 'ELOOP' });
  expect(readFileSync(target, 'utf8')).toBe('untouched');
});

test('a work folder can be used again: what was in its files is gone', async () => {
  const { attempt } = await run(['sh', '-c', 'echo first; echo first >&2']);
  const second = agent({ kind: 'command', command: ['sh', '-c', 'echo 2; echo 2 >&2'] });
  const result = await agents.run({ ...attempt, agent: second }, never);
  expect(result.stderrTail).toBe('2\n');
  expect(textOf(result)).toBe('2\n');
});

test('the end of a long stderr, whole lines', async () => {
  const { result } = await run([
    'sh',
    '-c',
    'i=0; while [ $i -lt 2000 ]; do echo "line $i" >&2; i=$((i+1)); done',
  ]);
  expect(result.stderrTail.length).toBeLessThanOrEqual(4096);
  expect(result.stderrTail).toMatch(/^line \d+\n[\s\S]*\nline 1999\n$/);
});

test('secrets are resolved late and redacted everywhere', async () => {
  const env: EnvEntry[] = [{ kind: 'set', name: 'TOKEN', value: '${env:KEY}' }];
  const script = `echo "it is $TOKEN"; echo '{"type":"status","payload":{"text":"'$TOKEN'"}}'; echo "$TOKEN" >&2; echo "$TOKEN" | wc -c`;
  const { attempt, result } = await run(['sh', '-c', script], 'a.txt', { env });
  expect(textOf(result)).toBe('it is [redacted]\n10\n');
  expect(result.stderrTail).toBe('[redacted]\n');
  for (const name of ['result.md', 'events.jsonl', 'stderr'])
    expect(readFileSync(join(attempt.workDir, name), 'utf8')).not.toContain('hush');
});

test('a secret that cannot be resolved refuses the attempt', async () => {
  const secrets = { ...noSecrets, resolve: () => Promise.reject(new Error('unresolved')) };
  const options = {
    stateDir: join(dir, '.sluice'),
    projectDir: dir,
    tag: newTag(),
    graceMs: 200,
    conditions: noConditions,
  };
  await using refusing = await createAgents({ ...options, secrets });
  const attempt = call(dir, command(['true'], { env: [{ kind: 'set', name: 'A', value: 'x' }] }), 'a.txt');
  await expect(refusing.run(attempt, never)).rejects.toThrow('unresolved');
});

test('recovery builds the same result, before and after the output was taken apart', async () => {
  const { attempt, result } = await run([
    'printf',
    '%s\\n',
    'text',
    '{"type":"status","payload":{"cost_usd":2}}',
  ]);
  const exit = {
    outcome: result.outcome,
    startedAt: result.startedAt,
    endedAt: result.endedAt,
    stdoutBytes: 48,
    stderrBytes: 0,
    ...(result.cpuMs === undefined ? {} : { cpuMs: result.cpuMs }),
    ...(result.peakMemoryBytes === undefined ? {} : { peakMemoryBytes: result.peakMemoryBytes }),
  };
  const entry = { job: attempt.jobId, n: 1, journal: '', exit };
  expect(await agents.recover(attempt, entry)).toEqual(result);
  writeFileSync(join(attempt.workDir, 'stdout'), 'again\n');
  const again = await agents.recover(attempt, { ...entry, exit: { ...exit, stdoutBytes: 6 } });
  expect(textOf(again)).toBe('again\n');
  expect(again.outcome).toEqual(result.outcome);
});

test('the version follows the executable and scripts of the project', async () => {
  const script = join(dir, 'check.sh');
  const write = (text: string, seconds: number) => {
    writeFileSync(script, text);
    chmodSync(script, 0o755);
    utimesSync(script, seconds, seconds);
  };
  write('#!/bin/sh\necho 1\n', 1_000);
  const [own, inner] = [command(['./check.sh']), command(['sh', 'check.sh', '${{ file.path }}'])];
  const before = await Promise.all([agents.version(own, 'a.txt'), agents.version(inner, 'a.txt')]);
  write('#!/bin/sh\necho 1\n', 2_000);
  expect(await Promise.all([agents.version(own, 'a.txt'), agents.version(inner, 'a.txt')])).toEqual(before);
  write('#!/bin/sh\necho 2\n', 2_000);
  const after = await Promise.all([agents.version(own, 'a.txt'), agents.version(inner, 'a.txt')]);
  expect(after[0]).not.toBe(before[0]);
  expect(after[1]).not.toBe(before[1]);
  expect(await agents.version(command(['sh', 'other']), 'a.txt')).not.toBe(
    await agents.version(command(['cat', 'other']), 'a.txt'),
  );
});

test('an agent whose command is missing is not available, with a fix', async () => {
  expect(await agents.available(command(['sh']))).toBeUndefined();
  expect(await agents.available(command(['no-such-thing']))).toMatchObject({
    code: 'AGENT_UNAVAILABLE',
    fix: expect.stringContaining('Install'),
  });
  writeFileSync(join(dir, 'plain.sh'), '');
  expect(await agents.available(command(['./plain.sh']))).toMatchObject({
    fix: expect.stringContaining('chmod +x'),
  });
  const elsewhere = command(['sh'], { env: [{ kind: 'set', name: 'PATH', value: '/nowhere' }] });
  expect(await agents.available(elsewhere)).toMatchObject({ code: 'AGENT_UNAVAILABLE' });
});

test('a folder on PATH that may not be entered says nothing about a command', () => {
  const locked = join(dir, 'locked');
  mkdirSync(locked, { mode: 0o000 });
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    expect(findCommand('no-such-thing', `${locked}:/usr/bin`, '/')).toMatchObject({ code: 'ENOENT' });
    expect(findCommand('sh', `${locked}:/usr/bin:/bin`, '/')).toHaveProperty('file');
  } finally {
    if (isRoot) process.seteuid?.(0);
    chmodSync(locked, 0o700);
  }
});

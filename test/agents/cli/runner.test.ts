/** One attempt of an agent CLI: how it is started, what is made of what it leaves, and how it is ended. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AgentEvent } from '../../../src/types/agent.ts';
import { fsPath } from '../../../src/types/path-bytes.ts';
import { call, processesWith } from '../attempts.ts';
import { answers, type FakeKind, recorded, type Step, voices } from './fakes/fakes.ts';
import { cliAgent, openRunner } from './runner-rig.ts';

const kinds: readonly FakeKind[] = ['codex', 'gemini', 'claude'];
const rig = await openRunner();

test.each(kinds)('%s: prompt by stdin, stream, events, answer, usage, session', async (kind) => {
  const fake = rig.fake(kind, ...answers(kind, 'All is well.'));
  const { call: made, result, text } = await rig.run(cliAgent(kind), { prompt: 'Look at it.' });
  expect(result).toMatchObject({
    outcome: { kind: 'exited', exitCode: 0 },
    resultBytes: 13,
    sandbox: { mode: 'off' },
    cli: { report: { terminal: 'success', denials: [], faults: [] }, record: { kind } },
  });
  expect(await text('result.md')).toBe('All is well.\n');
  expect(await text('stream.jsonl')).toContain('All is well.');
  const events = (await text('events.jsonl'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as AgentEvent);
  expect(events).toHaveLength(result.events);
  expect(events.at(-1)).toMatchObject({ type: 'milestone', payload: { final: true, progress: 100 } });
  expect(result.usage).toMatchObject({ input_tokens: 1000, cache_read_tokens: 200, output_tokens: 34 });
  const [seen] = fake.seen();
  expect(seen?.stdin).toMatch(/^Look at it\./);
  expect(seen?.argv.join(' ')).not.toContain('Look at it');
  expect(seen?.cwd).toBe(rig.projectDir);
  expect(seen?.env).toMatchObject({
    SLUICE_JOB_ID: made.jobId,
    SLUICE_SESSION_ID: 's1',
    SLUICE_RULE: 'all',
    SLUICE_DEPTH: '0',
    SLUICE_OUTPUT_DIR: made.outputDir,
    HOME: rig.home,
  });
  expect(seen?.env.TMPDIR?.startsWith(`${made.workDir}/`)).toBe(true);
});

test.each(kinds)('%s: half a line, then it dies', async (kind) => {
  const { began, said } = voices[kind];
  const torn = said('The first half of a sentence that').slice(0, -30);
  rig.fake(kind, { out: began + torn }, { kill: 'SIGKILL' });
  const { result, text } = await rig.run(cliAgent(kind));
  expect(result).toMatchObject({
    outcome: { kind: 'signalled', signal: 'SIGKILL' },
    cli: { report: { terminal: 'none' } },
  });
  expect(await text('stream.jsonl')).toBe(began + torn);
});

test.each(kinds)('%s: events nobody knows, banners, other JSON, and bytes that are no text', async (kind) => {
  const { began, said, done } = voices[kind];
  const odd = [
    '{"type":"brand_new","payload":{"x":[1,2,{"type":"result"}]}}',
    '{"type":null}',
    '{"type":{"a":1},"item":7,"message":[],"error":"x","usage":"many"}',
    '[]',
    'null',
    '"text"',
    '{}',
    'Update available! Run npm install.',
    '\u001b[2J\u001b[31mred',
    '{"type":"item.completed","item":null}',
    '{"type":"tool_use"}',
    '{"type":"tool_result"}',
    '{"type":"message","role":"assistant","content":{"deep":true}}',
    '{"type":"assistant","message":{"content":"flat"}}',
    '{"type":"assistant","message":null}',
    '{"type":"user","message":{"content":[null,1,{"type":"tool_result"}]}}',
    '{"type":"stream_event"}',
    '{"type":"system","subtype":"brand_new"}',
    `{"__proto__":{"type":"result"},"type":"x","${'k'.repeat(10_000)}":1}`,
  ];
  rig.fake(
    kind,
    { out: `${began}${odd.join('\n')}\n` },
    { bytes: 'fffe00ff0a7b22747970653ac3280a' },
    { out: said('Fine.') + done('Fine.') },
  );
  const { result, text } = await rig.run(cliAgent(kind));
  expect(result.cli?.report).toMatchObject({ terminal: 'success', faults: [], denials: [] });
  expect(await text('result.md')).toBe('Fine.\n');
});

test.each([
  ['a line of 10 MiB is read', 10, 'xxx'],
  ['a line of 17 MiB is left out', 17, 'Small.'],
])('%s', async (_, mebibytes, found) => {
  const { began, said, done } = voices.codex;
  const [before = '', after = ''] = said('@').split('@');
  rig.fake(
    'codex',
    { out: began + said('Small.') },
    { long: { before, bytes: mebibytes << 20, after } },
    { out: done('') },
  );
  const { result, text } = await rig.run(cliAgent('codex'));
  expect(result.cli?.report.terminal).toBe('success');
  const answer = await text('result.md');
  expect(answer.slice(0, found.length)).toBe(found);
  expect((await text('events.jsonl')).length, 'events stay small').toBeLessThan(20_000);
});

test.each(['gemini', 'claude'] as const)(
  '%s hangs after its result: kept after the grace, and nothing is left of it',
  async (kind) => {
    const lingerMs = 1_200;
    const hasty = await openRunner({ lingerMs });
    const fake = hasty.fake(kind, { deaf: true }, { fork: true }, ...answers(kind, 'Here it is.'), {
      hang: true,
    });
    const { result, text } = await hasty.run(cliAgent(kind));
    expect(result.outcome).toEqual({ kind: 'lingered', graceMs: lingerMs });
    expect(result.cli?.report.terminal).toBe('success');
    expect(await text('result.md')).toBe('Here it is.\n');
    const [seen] = fake.seen();
    for (const pid of [seen?.pid, seen?.looks?.fork])
      expect(() => process.kill(pid as number, 0), `process ${pid}`).toThrow('ESRCH');
  },
);

test('a turn that is followed by another is not the end', async () => {
  const { began, said, done } = voices.codex;
  const turn = `${began.split('\n')[1]}\n`;
  const lingerMs = 3_000;
  const hasty = await openRunner({ lingerMs });
  const gate = join(hasty.projectDir, 'gate');
  hasty.fake(
    'codex',
    { out: began + said('One.') + done('') },
    { until: gate },
    { out: turn },
    { sleep: lingerMs },
    { out: said('Two.') + done('') },
    { sleep: 350 },
  );
  const { result, text } = await hasty.run(cliAgent('codex'), {
    onEvent: ({ payload }) => {
      if (payload.final === true) writeFileSync(gate, '');
    },
  });
  expect(result.outcome).toEqual({ kind: 'exited', exitCode: 0 });
  expect(await text('result.md')).toBe('Two.\n');
});

test.each(kinds)('%s calls one tool again and again: it is ended as stuck', async (kind) => {
  const { began, ran, done } = voices[kind];
  rig.fake(
    kind,
    { out: began },
    { many: { text: ran('true'), times: 8 } },
    { sleep: 20_000 },
    { out: done('') },
  );
  const { result } = await rig.run(cliAgent(kind));
  expect(result.outcome).toMatchObject({ kind: 'stuck', times: 8 });
});

test('silent for too long: ended with all of its tree, deaf or not', async () => {
  const fake = rig.fake(
    'gemini',
    { deaf: true },
    { fork: true },
    { out: voices.gemini.began },
    { hang: true },
  );
  const { result } = await rig.run(cliAgent('gemini', {}, { idleTimeoutMs: 400 }));
  expect(result.outcome).toEqual({ kind: 'stalled', idleMs: 400 });
  expect(processesWith(rig.projectDir)).toEqual([]);
  // On a busy machine it had not come that far.
  const server = fake.seen()[0]?.looks?.fork;
  if (server) expect(() => process.kill(server as number, 0)).toThrow('ESRCH');
});

test('cancelled: it is gone at once, and what it said is there', async () => {
  const stop = new AbortController();
  const heard = Promise.withResolvers<void>();
  rig.fake('codex', { out: voices.codex.began }, { hang: true });
  const running = rig.run(cliAgent('codex'), { onEvent: () => heard.resolve() }, stop.signal);
  await heard.promise;
  stop.abort('enough');
  const { result, text } = await running;
  expect(result.outcome).toEqual({ kind: 'cancelled', reason: 'enough' });
  expect(await text('stream.jsonl')).toBe(voices.codex.began);
});

test('a daemon without a home hands on that of its user', async () => {
  const homeless = await openRunner({ env: { HOME: undefined } });
  const fake = homeless.fake('codex', ...answers('codex'));
  await homeless.run(cliAgent('codex'));
  expect(fake.seen()[0]?.env.HOME).toBe(homedir());
});

test('Codex: the key of the provider that its settings name is handed on, and in nothing that is kept', async () => {
  const key = 'corp-key-000000000000';
  const rig = await openRunner({ env: { CORP_KEY: key, OTHER_KEY: 'other-key-0000000' } });
  mkdirSync(join(rig.home, '.codex'));
  const provider = 'model_provider = "corp"\n[model_providers.corp]\nenv_key = "CORP_KEY"\n';
  writeFileSync(join(rig.home, '.codex/config.toml'), provider);
  const fake = rig.fake('codex', ...answers('codex', 'Its key is ${CORP_KEY}.'));
  const { text } = await rig.run(cliAgent('codex'));
  expect(fake.seen()[0]?.env.CORP_KEY).toBe(key);
  expect(fake.seen()[0]?.env).not.toHaveProperty('OTHER_KEY');
  expect(await text('stream.jsonl')).toContain('Its key is');
  expect(await text('stream.jsonl')).not.toContain(key);
});

test('stdin is at its end: a question is answered by nobody', async () => {
  const { began, said, done } = voices.codex;
  const fake = rig.fake(
    'codex',
    { ask: 'Do you trust the files in this folder? [y/N] ' },
    { out: `\n${began}${said('As you like.')}${done('')}` },
  );
  const { result } = await rig.run(cliAgent('codex'));
  expect(fake.seen()[0]?.looks).toEqual({ answer: 'end' });
  expect(result.cli?.report.terminal).toBe('success');
});

test('a server that it leaves behind is gone', async () => {
  const fake = rig.fake('gemini', { fork: true }, ...answers('gemini'));
  const { result } = await rig.run(cliAgent('gemini'));
  expect(result.outcome).toEqual({ kind: 'exited', exitCode: 0 });
  const pid = fake.seen()[0]?.looks?.fork;
  expect(() => process.kill(pid as number, 0), `process ${pid}`).toThrow('ESRCH');
  expect(processesWith(rig.projectDir)).toEqual([]);
});

const { began, said, failed } = voices.codex;
const notTrusted = 'Not inside a trusted directory and --skip-git-repo-check was not specified.';
test.each<[string, readonly Step[], number | null]>([
  ['not started', [{ err: `${notTrusted}\n` }, { exit: 1 }], 0],
  ['not let in', [{ out: `${began}${failed('unexpected status 401 Unauthorized: no')}` }, { exit: 1 }], 0],
  [
    'not let in any more, in the middle of its work',
    [{ out: `${began}${said('Half.')}${failed('unexpected status 401 Unauthorized: no')}` }, { exit: 1 }],
    null,
  ],
  ['cut off', [{ out: `${began}${failed('stream disconnected before completion')}` }, { exit: 1 }], null],
])('what it cost when it does not say so: %s', async (_, steps, costUsd) => {
  rig.fake('codex', ...steps);
  const { result } = await rig.run(cliAgent('codex'));
  expect(result.costUsd).toBe(costUsd);
});

test('a session on a copy is opened from the project: the copy goes', async () => {
  rig.fake('claude', ...answers('claude'));
  const workspaceDir = join(rig.projectDir, '.sluice/copy');
  mkdirSync(workspaceDir, { recursive: true });
  const { result } = await rig.run(cliAgent('claude'), { workspaceDir });
  expect(result.cli?.record.resume).toMatch(new RegExp(`^cd ${rig.projectDir} && claude --resume`));
});

test('a prompt of 300 kB arrives whole', async () => {
  const fake = rig.fake('gemini', ...answers('gemini'));
  const prompt = `${'ab ä€😀\n'.repeat(25_000)}The end.`;
  const { result } = await rig.run(cliAgent('gemini'), { prompt });
  expect(result.cli?.report.terminal).toBe('success');
  expect(fake.seen()[0]?.stdin.startsWith(prompt)).toBe(true);
});

test('names that are no text, and odd characters, arrive as text', async () => {
  const fake = rig.fake('codex', ...answers('codex'));
  const name = Buffer.from('caf\xe9.md', 'latin1');
  const odd = call(rig.projectDir, cliAgent('codex'), name);
  const input = { ...odd.input, bytes: 4 };
  writeFileSync(fsPath(input.file), 'icon');
  await rig.run(cliAgent('codex'), { input, inputs: [input], prompt: 'An icon: \uef81 \u{1f600}.' });
  const [seen] = fake.seen();
  expect(seen?.stdin).toContain('An icon: \uef81 \u{1f600}.');
  expect(seen?.stdin).not.toContain('\ufffd');
  expect(seen?.stdin).toContain("caf\\\\xe9.md'");
});

test('what it says on stderr tells why it failed; exit codes are told as they are', async () => {
  rig.fake('codex', ...recorded('codex', 'no-git'));
  const { result } = await rig.run(cliAgent('codex'));
  expect(result).toMatchObject({
    outcome: { kind: 'exited', exitCode: 1 },
    resultBytes: 0,
    cli: {
      report: { terminal: 'none', faults: [{ class: 'setup', cure: { kind: 'skip_git_check' } }] },
      record: { fault: 'setup', next: { skipGitCheck: true } },
    },
  });
});

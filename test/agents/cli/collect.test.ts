/** What is made of the files that an agent CLI left, and made of them again after a crash in the middle. */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { codexKind } from '../../../src/agents/cli/codex/codex.ts';
import { collectCli } from '../../../src/agents/cli/collect.ts';
import type { Redactor } from '../../../src/agents/ports.ts';
import { tempDir } from '../attempts.ts';
import { voices } from './fakes/fakes.ts';

const secret = 'sk-live-4711';
const redactor: Redactor = {
  redact: (text) => text.replaceAll(secret, '[redacted]'),
  redactFile: async (path) =>
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(secret, '[redacted]')),
};
const { began, said, done } = voices.codex;
const schema = { file: '/schema.json', schema: { type: 'object' } };

function collect(workDir: string, more: Partial<Parameters<typeof collectCli>[0]> = {}) {
  return collectCli({
    kind: codexKind,
    call: { workDir },
    exit: { outcome: { kind: 'exited', exitCode: 0 } },
    lastMessageFile: undefined,
    redactor,
    ...more,
  });
}

function left(stdout: string, stderr = ''): string {
  const workDir = tempDir();
  writeFileSync(join(workDir, 'stdout'), stdout);
  writeFileSync(join(workDir, 'stderr'), stderr);
  return workDir;
}

const text = (dir: string, name: string) => readFileSync(join(dir, name), 'utf8');

test('the raw stream, our events and the answer, all without secrets', async () => {
  const workDir = left(began + said(`It is ${secret}.`) + done(''), `a warning about ${secret}\n`);
  const collected = await collect(workDir);
  expect(collected).toMatchObject({
    ...{
      resultFile: join(workDir, 'result.md'),
      resultBytes: 18,
      stderrTail: 'a warning about [redacted]\n',
    },
    report: { terminal: 'success', text: 'It is [redacted].' },
  });
  expect(text(workDir, 'result.md')).toBe('It is [redacted].\n');
  expect(text(workDir, 'events.jsonl').trim().split('\n')).toHaveLength(collected.events);
  expect(readdirSync(workDir).sort()).toEqual(['events.jsonl', 'result.md', 'stderr', 'stream.jsonl']);
  for (const name of readdirSync(workDir)) expect(text(workDir, name)).not.toContain(secret);
});

test('after a crash in the middle it is made again from the raw stream', async () => {
  const workDir = left(began + said('Done.') + done(''));
  const first = await collect(workDir);
  writeFileSync(join(workDir, 'events.jsonl.part'), 'torn');
  writeFileSync(join(workDir, 'result.md'), 'to');
  expect(await collect(workDir)).toEqual(first);
  expect(text(workDir, 'result.md')).toBe('Done.\n');
});

test('nothing was said, or nothing is left: no answer, no events', async () => {
  expect(await collect(left(''))).toMatchObject({ events: 0, resultBytes: 0, report: { terminal: 'none' } });
  const nothing = tempDir();
  expect(await collect(nothing)).toMatchObject({ events: 0, stderrTail: '', report: { text: '' } });
  expect(readdirSync(nothing)).toEqual([]);
});

test.each([
  ['in a fence', 'Here:\n```json\n{"ok":true}\n```', '{\n  "ok": true\n}\n'],
  ['that is none', 'I cannot say.', 'I cannot say.\n'],
])('an answer that is to be JSON: %s', async (_, answer, result) => {
  const workDir = left(began + said(answer) + done(''));
  await collect(workDir, { call: { workDir, schema } });
  expect(text(workDir, 'result.md')).toBe(result);
});

test('the last message counts where it is longer than the stream, and only as a plain file', async () => {
  const workDir = left(began + said('Short') + done(''));
  const last = join(workDir, 'last-message.txt');
  writeFileSync(last, 'Short, and the rest.');
  await collect(workDir, { lastMessageFile: last });
  expect(text(workDir, 'result.md')).toBe('Short, and the rest.\n');
  const other = left(began + said('Short') + done(''));
  symlinkSync(last, join(other, 'last-message.txt'));
  await collect(other, { lastMessageFile: join(other, 'last-message.txt') });
  expect(text(other, 'result.md')).toBe('Short\n');
});

test('of a long stderr the beginning and the end are looked at', async () => {
  const unknown = "error: unexpected argument '--json' found\n";
  for (const stderr of [unknown + 'x'.repeat(200_000), `${'x'.repeat(200_000)}\n${unknown}`]) {
    const { report } = await collect(left('', stderr), {
      exit: { outcome: { kind: 'exited', exitCode: 2 } },
    });
    expect(report.faults).toMatchObject([{ class: 'flags' }]);
  }
});

test('folders and links that stand where our files go are taken away', async () => {
  const workDir = left(began + said('Done.') + done(''));
  for (const name of ['result.md/x', 'events.jsonl.part/y', 'stream.jsonl/z'])
    mkdirSync(join(workDir, name), { recursive: true });
  symlinkSync('/etc/hostname', join(workDir, 'events.jsonl'));
  await collect(workDir);
  expect(text(workDir, 'result.md')).toBe('Done.\n');
  expect(text(workDir, 'events.jsonl')).toContain('"Done."');
});

/** Commands that misbehave: none takes the daemon with it, none is left behind, none is green without proof. */
import { chmodSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeProject, until } from '../daemon/project.ts';
import { processesOf } from './rig.ts';

/** Each file is its agent: a script, run with the job's environment. The name says which rule takes it. */
const scripted = `
routing_rules:
  - { name: proved, pattern: "*.proved", agent: work, expect: { outputs: [out.json] } }
  - { name: short, pattern: "*.short", agent: short }
  - { name: all, pattern: "**", agent: work }
agents:
  work: { kind: command, command: [sh, "\${{ file.path }}"], retry: { attempts: 1 } }
  short: { kind: command, command: [sh, "\${{ file.path }}"], timeout: 1s, retry: { attempts: 1 } }
concurrency_limits: { max_processes: 4 }
daemon: { min_free_disk: 1MiB }
`;

const scripts: Readonly<Record<string, { script: string; state: string; reason?: string }>> = {
  loud: { script: 'head -c 10737418 /dev/zero | tr "\\0" x', state: 'succeeded' },
  'loud on stderr': {
    script: 'head -c 10737418 /dev/zero | tr "\\0" x >&2; exit 1',
    state: 'failed',
    reason: 'exit_code',
  },
  binary: { script: 'head -c 300000 /dev/urandom; head -c 100000 /dev/zero', state: 'succeeded' },
  'binary error': {
    script: "printf 'error: \\377\\376\\0\\033[2J \\355\\240\\200' >&2; exit 3",
    state: 'failed',
    reason: 'exit_code',
  },
  'a terabyte of nothing': {
    script: 'truncate -s 1T "$SLUICE_OUTPUT_DIR/big"',
    state: 'failed',
    reason: 'limit_exceeded',
  },
  'never ends.short': { script: 'while :; do sleep 0.1; done', state: 'failed', reason: 'timeout' },
  'deaf.short': {
    script: `trap '' TERM INT HUP; setsid sh -c 'trap "" TERM INT HUP; while :; do sleep 1000; done' & while :; do sleep 1000; done`,
    state: 'failed',
    reason: 'timeout',
  },
  'leaves children': {
    script: `for n in 1 2 3 4 5 6 7 8; do (sleep 1000 &) ; done; setsid sh -c 'trap "" TERM; env -i sleep 1000' & echo done`,
    state: 'succeeded',
  },
  'forks much.short': {
    script: `f() { test "$1" -gt 0 || exec sleep 1000; f $(($1-1)) & f $(($1-1)) & wait; }; f 6`,
    state: 'failed',
    reason: 'timeout',
  },
  'nothing.proved': { script: 'exit 0', state: 'failed', reason: 'missing_output' },
  'an empty file.proved': {
    script: ': > "$SLUICE_OUTPUT_DIR/out.json"',
    state: 'failed',
    reason: 'missing_output',
  },
  'reads stdin': { script: 'cat', state: 'succeeded' },
  'kills itself': { script: 'kill -9 $$', state: 'failed', reason: 'exit_code' },
  'kills its group': { script: 'kill -9 0', state: 'failed', reason: 'exit_code' },
  'stops itself.short': { script: 'kill -STOP $$', state: 'failed', reason: 'timeout' },
  'removes its folder': {
    script: 'rm -rf "$SLUICE_OUTPUT_DIR" "$SLUICE_FILES"; echo gone',
    state: 'succeeded',
  },
  'bad events': {
    script: `echo '{"type":"progress","payload":{"progress":1e999}}'; echo '{"type":"status"'; echo '{"type":"finding","payload":null}'; printf '{"type":"error","agent":7,"payload":{"usage":"x"}}'`,
    state: 'succeeded',
  },
};

test('commands that print too much, bytes, nothing, that fork, hang, are deaf or destroy themselves', async () => {
  const project = makeProject(scripted);
  for (const [name, { script }] of Object.entries(scripts)) project.write(`inbox/${name}`, script);
  const { code } = await project.sluice('run');
  expect(code).toBe(1);
  const found = Object.fromEntries(
    project.receipts().map(({ input, state, reason }) => [input.path, { state, ...(reason && { reason }) }]),
  );
  expect(found).toEqual(
    Object.fromEntries(
      Object.entries(scripts).map(([name, { state, reason }]) => [
        name,
        { state, ...(reason && { reason }) },
      ]),
    ),
  );
  expect(processesOf(project)).toEqual([]);
  const folder = join(project.dir, 'processed/files/inbox');
  expect(statSync(join(folder, 'loud/result.md')).size).toBe(10_737_418);
  expect(statSync(join(folder, 'binary/result.md')).size).toBeGreaterThan(0);
  for (const receipt of project.receipts().filter(({ state }) => state === 'failed')) {
    expect(receipt.message).toBeTruthy();
    expect(receipt.fix).toBeTruthy();
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may come through
    expect(receipt.message).not.toMatch(/[\u0000-\u0008\u000b-\u001f]/);
  }
  const page = readFileSync(join(project.dir, 'processed/index.html'));
  expect(new TextDecoder('utf-8', { fatal: true }).decode(page)).toContain('deaf.short');
});

test('a command that does not exist: its jobs wait with the remedy, others go on, and it goes on when it is there', async () => {
  const config = `
routing_rules:
  - { name: tool, pattern: "*.tool", agent: tool }
  - { name: all, pattern: "**", agent: work }
agents:
  tool: { kind: command, command: [./tools/later, "\${{ file.path }}"] }
  work: { kind: command, command: [cat, "\${{ file.path }}"] }
daemon: { min_free_disk: 1MiB }
`;
  const project = makeProject(config);
  project.write('inbox/a.tool', 'a');
  project.write('inbox/b', 'b');
  const run = await project.sluice('run', '--json');
  expect(run.code).toBe(1);
  const { files, problems } = JSON.parse(run.stdout) as {
    files: Record<string, number>;
    problems: { path: string; state: string; reason: string; fix: string }[];
  };
  expect([files.succeeded, files.failed]).toEqual([1, 0]);
  expect(problems).toMatchObject([{ path: 'a.tool', state: 'waiting', reason: 'agent_unavailable' }]);
  expect(problems[0]?.fix).toContain('tools/later');

  const daemon = await project.start();
  project.write('inbox/c.tool', 'c');
  await until('both wait', async () => (await project.status()).queue.waiting === 2);
  const { conditions } = await project.status();
  expect(conditions.find(({ code }) => code === 'AGENT_UNAVAILABLE')).toMatchObject({ subject: 'tool' });
  expect((await project.status()).files.failed).toBeUndefined();

  chmodSync(project.write('tools/later', '#!/bin/sh\ncat "$1"\n'), 0o755);
  // A changed configuration looks at once; without one it is looked for every 15 s.
  project.write(
    'config/orchestrator.yaml',
    `version: 1\n${config}concurrency_limits: { max_processes: 3 }\n`,
  );
  daemon.kill('SIGHUP');
  await until('both are processed', async () => (await project.status()).files.processed === 3);
  await until('the condition is over', async () =>
    (await project.status()).conditions.every(({ code }) => code !== 'AGENT_UNAVAILABLE'),
  );
});

import { chmodSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeProject } from './project.ts';

const schema = JSON.stringify({
  type: 'object',
  required: ['verdict'],
  properties: { verdict: { enum: ['good', 'bad'] } },
});

/** Each file is its agent: a shell script that is run with the job's environment. */
const scripted = (rule: string): string => `
routing_rules: [{ name: all, pattern: "**", agent: work${rule} }]
agents:
  work: { kind: command, command: [sh, "\${{ file.path }}"], retry: { attempts: 1 } }
daemon: { min_free_disk: 1MiB }
`;

test.each([
  { script: 'exit 0', rule: '', state: 'succeeded', reason: undefined, proof: ['exit_code'] },
  { script: 'exit 3', rule: '', state: 'failed', reason: 'exit_code', proof: [] },
  { script: 'kill -SEGV $$', rule: '', state: 'failed', reason: 'exit_code', proof: [] },
  {
    script: 'exit 0',
    rule: ', expect: { outputs: [out.json] }',
    state: 'failed',
    reason: 'missing_output',
    proof: [],
  },
  {
    script: ': > "$SLUICE_OUTPUT_DIR/out.json"',
    rule: ', expect: { outputs: [out.json] }',
    state: 'failed',
    reason: 'missing_output',
    proof: [],
  },
  {
    script: 'echo x > "$SLUICE_OUTPUT_DIR/out.json"',
    rule: ', expect: { outputs: ["*.json"] }',
    state: 'succeeded',
    reason: undefined,
    proof: ['exit_code', 'outputs'],
  },
  {
    script: 'echo \'{"verdict":"maybe"}\' > "$SLUICE_OUTPUT_DIR/out.json"',
    rule: ', expect: { outputs: [out.json], json_schema: schema.json }',
    state: 'failed',
    reason: 'schema_invalid',
    proof: [],
  },
  {
    script: 'echo \'{"verdict":"good"}\' > "$SLUICE_OUTPUT_DIR/out.json"',
    rule: ', expect: { outputs: [out.json], json_schema: schema.json }',
    state: 'succeeded',
    reason: undefined,
    proof: ['exit_code', 'outputs', 'schema'],
  },
  {
    script: 'exit 0',
    rule: ', expect: { json_schema: schema.json }',
    state: 'failed',
    reason: 'empty_result',
    proof: [],
  },
  {
    script: 'echo not json',
    rule: ', expect: { json_schema: schema.json }',
    state: 'failed',
    reason: 'schema_invalid',
    proof: [],
  },
  {
    script: 'echo \'{"verdict":"bad"}\'',
    rule: ', expect: { json_schema: schema.json }',
    state: 'succeeded',
    reason: undefined,
    proof: ['exit_code', 'schema'],
  },
  { script: 'sleep 60', rule: ', max_input: 3B', state: 'failed', reason: 'input_too_large', proof: [] },
])('$script$rule → $state $reason', async ({ script, rule, state, reason, proof }) => {
  const project = makeProject(scripted(rule));
  project.write('schema.json', schema);
  project.write('inbox/job', script);
  const { code } = await project.sluice('run');
  const receipt = project.receipt('job');
  expect({ state: receipt?.state, reason: receipt?.reason, proof: receipt?.proof }).toEqual({
    state,
    reason,
    proof,
  });
  expect(code).toBe(state === 'succeeded' ? 0 : 1);
  if (state === 'failed') {
    expect(receipt?.message).toBeTruthy();
    expect(receipt?.fix).toBeTruthy();
  }
});

test('time-out, silence and too much output end the attempt with their own reasons', async () => {
  const project = makeProject(`
routing_rules:
  - { name: slow, pattern: "slow", agent: slow }
  - { name: silent, pattern: "silent", agent: silent }
  - { name: loud, pattern: "loud", agent: loud }
agents:
  slow: { kind: command, command: [sh, -c, "sleep 60"], timeout: 1s, retry: { attempts: 1 } }
  silent: { kind: command, command: [sh, -c, "echo hi; sleep 60"], idle_timeout: 1s, retry: { attempts: 1 } }
  loud: { kind: command, command: [sh, -c, "yes"], limits: { output: 1MiB }, retry: { attempts: 1 } }
daemon: { min_free_disk: 1MiB }
`);
  for (const name of ['slow', 'silent', 'loud']) project.write(`inbox/${name}`, name);
  expect((await project.sluice('run')).code).toBe(1);
  expect(Object.fromEntries(project.receipts().map(({ input, reason }) => [input.path, reason]))).toEqual({
    slow: 'timeout',
    silent: 'stalled',
    loud: 'limit_exceeded',
  });
});

test('a failing command is retried as configured, with each attempt on the receipt', async () => {
  const project = makeProject(`
routing_rules: [{ name: all, pattern: "**", agent: work }]
agents:
  work:
    kind: command
    command: [sh, -c, "echo x >> tries; test $(wc -l < tries) = 3"]
    retry: { attempts: 3, initial: 50ms }
    sandbox: { mode: auto, write: [project] }
daemon: { min_free_disk: 1MiB }
`);
  project.write('inbox/a', 'a');
  expect((await project.sluice('run')).code).toBe(0);
  expect(project.receipt('a')?.attempts.map(({ n, exit_code: code }) => [n, code])).toEqual([
    [1, 1],
    [2, 1],
    [3, 0],
  ]);
});

test('a sparse file of 5 GiB and an unreadable one do not stop the others', async () => {
  const project = makeProject(`
routing_rules: [{ name: all, pattern: "**", agent: inspect, max_input: 1GiB }]
agents: { inspect: { kind: builtin } }
daemon: { min_free_disk: 1MiB }
`);
  truncateSync(project.write('inbox/sparse', ''), 5 * 2 ** 30);
  chmodSync(project.write('inbox/secret', 'x'), 0o000);
  project.write('inbox/plain.txt', 'hello');
  const { code } = await project.sluice('run');
  expect(code).toBe(1);
  expect(project.receipt('sparse')?.reason).toBe('input_too_large');
  expect(project.receipt('plain.txt')?.state).toBe('succeeded');
  if (process.getuid?.() !== 0) expect(project.receipt('secret')?.reason).toBe('input_unreadable');
  expect(readFileSync(join(project.dir, 'processed/files/inbox/plain.txt/result.md'), 'utf8')).toContain(
    'text',
  );
});

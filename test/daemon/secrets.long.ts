/**
 * One secret, told in every spelling that an agent can think of: it is in no file under the project, in no answer of a
 * command and in no alert.
 */
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { namesIn } from '../../src/engine/tree-size.ts';
import { startReceiver } from '../conditions/receiver.ts';
import { makeProject, until } from './project.ts';

const SECRET = 'p@ss/w0rd+"quote"&Zürich-7731';
const HOOK = 'services/T0K3N/hook-path-4711';

/** Says it plain, split over two writes, in base64 (at any offset), URL-encoded and JSON-escaped; on every way there is. */
const agent = `
const { writeFileSync, writeSync } = require('node:fs');
const { join } = require('node:path');
const s = process.env.API_KEY;
const b64 = (text) => Buffer.from(text).toString('base64');
const forms = [s, b64(s), b64('u:' + s), b64('xx:' + s + ':tail'), encodeURIComponent(s), JSON.stringify(s), Buffer.from(s).toString('base64url')];
const wait = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
for (const fd of [1, 2]) {
  for (const form of forms) {
    writeSync(fd, 'it is ' + form.slice(0, 7));
    wait(30);
    writeSync(fd, form.slice(7) + ' and so on\\n');
  }
}
for (const form of forms)
  writeSync(1, JSON.stringify({ type: 'finding', agent: 'a', timestamp: new Date().toISOString(), payload: { text: form, file: s } }) + '\\n');
writeFileSync(join(process.env.SLUICE_OUTPUT_DIR, 'out.txt'), forms.join('\\n'));
writeSync(2, 'the last word: ' + forms.join(' '));
process.exit(process.env.SLUICE_FILE.endsWith('.bad') ? 3 : 0);
`;

/** What to look for: the value in each spelling, as bytes. */
function spellings(): Buffer[] {
  const texts = [
    SECRET,
    JSON.stringify(SECRET).slice(1, -1),
    encodeURIComponent(SECRET),
    // Of any base64 that holds it: what the value alone decides.
    ...[0, 1, 2].map((shift) =>
      Buffer.from('x'.repeat(shift) + SECRET)
        .toString('base64')
        .slice(4, 28),
    ),
    // Halves of it, as two writes would leave them.
    SECRET.slice(7),
    HOOK,
  ];
  return texts.map((text) => Buffer.from(text));
}

function leaks(bytes: Buffer): string[] {
  return spellings().flatMap((form) => (bytes.includes(form) ? [form.toString()] : []));
}

async function filesBelow(dir: string): Promise<string[]> {
  const found = await Promise.all(
    (await namesIn(dir)).map(async (name) => {
      const path = join(dir, name);
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (stat?.isDirectory()) return filesBelow(path);
      return stat?.isFile() ? [path] : [];
    }),
  );
  return found.flat();
}

test('a secret that an agent tells in every way is nowhere', async () => {
  const receiver = await startReceiver();
  const origin = new URL(receiver.url).origin;
  const project = makeProject(
    `
routing_rules: [{ name: all, pattern: "**", agent: teller }]
agents:
  teller:
    kind: command
    command: ["${process.execPath}", agent.cjs]
    env: { API_KEY: "\${env:SLUICE_TEST_KEY}" }
    retry: { attempts: 1 }
alerts:
  - { on: [all, success, digest], webhook: "${origin}/\${env:SLUICE_TEST_HOOK}", format: json }
  - { on: [all, success], webhook: "${origin}/\${env:SLUICE_TEST_HOOK}", format: ntfy }
  - { on: [all], webhook: "http://127.0.0.1:9/\${env:SLUICE_TEST_HOOK}", format: slack }
thresholds: { error_rate: 0.1, minimum: 1 }
daemon: { min_free_disk: 1MiB }
`,
    { env: { SLUICE_TEST_KEY: SECRET, SLUICE_TEST_HOOK: HOOK } },
  );
  project.write('agent.cjs', agent);
  const daemon = await project.start();
  project.write('inbox/one.txt', '1');
  project.write('inbox/two.bad', '2');
  await until('both have ended', () => project.receipts().length === 2);
  await until('a success and a problem were told', () =>
    ['"event":"success"', 'ERROR_RATE'].every((word) => receiver.got.some(({ body }) => body.includes(word))),
  );
  await until('the one that fails is a condition', async () =>
    (await project.status()).conditions.some(({ code }) => code === 'ALERT_FAILED'),
  );
  // The proof that the agent told it, and that we looked in the right places.
  const result = readFileSync(join(project.dir, 'processed/files/inbox/one.txt/result.md'), 'utf8');
  expect(result.match(/\[redacted\]/g)?.length).toBeGreaterThan(5);

  const ids = project.receipts().map(({ job_id: id }) => id);
  const commands = [
    ['status', '--json'],
    ['jobs', '--json'],
    ...ids.flatMap((id) => [
      ['jobs', 'show', id, '--json'],
      ['jobs', 'show', id],
    ]),
    ['logs', '--json', '--limit', '1000'],
    ['config', 'show', '--json'],
    ['why', 'inbox/two.bad', '--json'],
    ['export', 'backup.tar.gz', '--json'],
  ];
  const answers = await Promise.all(
    commands.map(async (command) => {
      const { code, stdout, stderr } = await project.sluice(...command);
      return { command, code, leaks: leaks(Buffer.from(stdout + stderr)) };
    }),
  );
  for (const answer of answers) expect(answer).toEqual({ ...answer, code: 0, leaks: [] });
  for (const { path, body, headers } of receiver.got) {
    expect(path).toBe(`/${HOOK}`);
    expect(leaks(Buffer.from(body + JSON.stringify(headers)))).toEqual([]);
  }
  expect(leaks(gunzipSync(readFileSync(join(project.dir, 'backup.tar.gz'))))).toEqual([]);
  expect(leaks(Buffer.from(daemon.lines.join('\n')))).toEqual([]);

  const look = async (when: string): Promise<void> => {
    const files = await filesBelow(project.dir);
    expect(files.some((file) => file.endsWith('ledger.db'))).toBe(true);
    for (const file of files)
      expect({ when, file, leaks: leaks(readFileSync(file)) }).toEqual({ when, file, leaks: [] });
  };
  await look('while it runs');
  daemon.kill('SIGKILL');
  await daemon.exited;
  await look('after it was killed');
  const again = await project.start();
  again.kill('SIGTERM');
  await again.exited;
  await look('after it stopped');
});

test('an export that is killed leaves no file under its name; what is damaged is not imported', async () => {
  const project = makeProject(
    'routing_rules: [{ name: all, pattern: "**", agent: i }]\nagents: { i: { kind: builtin } }\ndaemon: { min_free_disk: 1MiB }',
  );
  for (let n = 0; n < 40; n++) project.write(`inbox/${n}.txt`, `${n} `.repeat(2_000));
  expect((await project.sluice('run')).code).toBe(0);
  const large = project.write('processed/large.bin', '');
  // So much that it is still written when we see that it has begun.
  truncateSync(large, 2 ** 30);
  const killed = project.spawn('export', 'killed.tar');
  await until('it writes', () => project.exists('killed.tar.part'));
  killed.kill('SIGKILL');
  await killed.exited;
  expect(project.exists('killed.tar')).toBe(false);
  truncateSync(large, 30 << 20);

  expect((await project.sluice('export', 'killed.tar')).code).toBe(0);
  expect(project.exists('killed.tar.part')).toBe(false);
  expect((await project.sluice('export', 'killed.tar')).code).toBe(2);
  const other = join(project.dir, 'other');
  mkdirSync(other);
  execFileSync('truncate', ['--size=-4096', join(project.dir, 'killed.tar')]);
  const refused = await project.sluice('-C', other, 'import', '../killed.tar');
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('cannot be imported')]);
  expect((await namesIn(join(other, '.sluice'))).filter((name) => /ledger|import/.test(name))).toEqual([]);
});

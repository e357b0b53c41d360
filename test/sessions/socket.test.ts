/** The socket of attempts, asked by clients that behave and by others. */
import { once } from 'node:events';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Answer, Client } from '../../src/cli/client.ts';
import { AttemptStates } from '../../src/sessions/attempts.ts';
import { openStateSocket } from '../../src/sessions/socket.ts';
import type { Condition } from '../../src/types/condition.ts';
import { type Bench, openBench } from './rig.ts';

async function opened(): Promise<Bench & { path: string; token: string; client: Client }> {
  const bench = await openBench();
  const path = join(bench.dir, 'state.sock');
  const socket = await openStateSocket({ path, sessions: bench.sessions });
  onTestFinished(async () => await socket[Symbol.asyncDispose]());
  const token = await bench.sessions.grant({ session: 'one', agent: 'a', holder: 'job.1' });
  return { ...bench, path, token, client: new Client(path, token) };
}

const set = (key: string, value: unknown) => ({ changes: [{ op: 'set', key, value }] });

test('only its owner may connect, and only with a token', async () => {
  const { path, client } = await opened();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  for (const token of [undefined, 'wrong', ' '])
    expect(await new Client(path, token).ask('GET', '/state')).toMatchObject({
      status: 403,
      value: { code: 'FORBIDDEN' },
    });
  expect(await client.ask('GET', '/state')).toEqual({ status: 200, value: { entries: [] } });
});

test.each<[string, string, unknown, number, string]>([
  ['GET', '/', undefined, 404, 'NOT_FOUND'],
  ['GET', '/state/a/b', undefined, 404, 'NOT_FOUND'],
  ['GET', '/state/none', undefined, 404, 'NOT_FOUND'],
  ['GET', '/state/', undefined, 400, 'USAGE'],
  ['GET', '/state/%zz', undefined, 400, 'USAGE'],
  ['GET', '/state/a?type=public', undefined, 400, 'USAGE'],
  ['PUT', '/state/a', {}, 404, 'NOT_FOUND'],
  ['POST', '/transaction', undefined, 400, 'USAGE'],
  ['POST', '/transaction', [], 400, 'USAGE'],
  ['POST', '/transaction', { changes: {} }, 400, 'USAGE'],
  ['POST', '/transaction', set('a\u0000', 1), 400, 'USAGE'],
  ['POST', '/transaction', set('a', 'x'.repeat(300_000)), 413, 'STATE_LIMIT'],
  ['POST', '/transaction', set('a', 'x'.repeat(5_000_000)), 413, 'STATE_LIMIT'],
  ['POST', '/locks/l', { ttl: 'soon' }, 400, 'USAGE'],
  ['POST', '/locks/l', { id: 'of nobody' }, 423, 'LOCKED'],
])('%s %s, case %#', async (method, path, body, status, code) => {
  const { client } = await opened();
  expect(await client.ask(method, path, body)).toMatchObject({
    status,
    value: { code, detail: expect.any(String), fix: expect.any(String) },
  });
});

test('keys of all kinds come back as they were', async () => {
  const { client } = await opened();
  for (const key of ['a/b', '..', '%2f', 'ä b?c=d&type=private#', '__proto__', 'toString']) {
    await client.ask('POST', '/transaction', set(key, { __proto__: null, key }));
    expect(await client.ask('GET', `/state/${encodeURIComponent(key)}`)).toMatchObject({
      status: 200,
      value: { key, value: { key }, type: 'shared' },
    });
  }
});

test('a conflict says at which revision the key is', async () => {
  const { client } = await opened();
  await client.ask('POST', '/transaction', set('a', 1));
  const stale = { changes: [{ op: 'set', key: 'a', value: 2, if_revision: 0 }] };
  expect(await client.ask('POST', '/transaction', stale)).toMatchObject({
    status: 409,
    value: { code: 'CONFLICT', type: 'shared', key: 'a', revision: 1 },
  });
});

async function raw(
  path: string,
  text: string | Buffer,
): Promise<{ socket: Socket; answer: Promise<string> }> {
  const socket = connect(path);
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  let said = '';
  socket.on('data', (chunk) => {
    said += chunk;
  });
  socket.on('error', () => {});
  const answer = new Promise<string>((resolve) => socket.once('close', () => resolve(said)));
  socket.write(text);
  return { socket, answer };
}

test('what is no HTTP, no JSON or no text is refused, and the next one served', async () => {
  const { path, token, client } = await opened();
  const head = (length: number) =>
    `POST /transaction HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Length: ${length}\r\n\r\n`;
  expect(await (await raw(path, 'hello\r\n\r\n')).answer).toContain('400');
  expect(await (await raw(path, `${head(4)}{"a"`)).answer).toContain('"code":"USAGE"');
  const bytes = Buffer.concat([Buffer.from(head(3)), Buffer.from([0x22, 0xff, 0x22])]);
  expect(await (await raw(path, bytes)).answer).toContain('"code":"USAGE"');
  const endless = await raw(path, head(100_000_000));
  endless.socket.write(Buffer.alloc(70_000_000, 'x'));
  await endless.answer;
  expect((await client.ask('GET', '/state')).status).toBe(200);
});

test('whoever hangs up waits no longer for a lock', async () => {
  const { path, token, client, as } = await opened();
  const { id } = await as('b').lock('l', { ttlMs: 60_000, waitMs: 0 });
  const body = '{"wait":"1h","ttl":"1h"}';
  const asked = `POST /locks/l HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const { socket, answer } = await raw(path, asked);
  const third = client.ask('POST', '/locks/l', { wait: '1h' });
  socket.destroy();
  await answer;
  // Answered after the server has seen the end of the other connection.
  await client.ask('GET', '/state');
  await as('b').unlock('l', id);
  const { status, value } = await third;
  expect(status).toBe(200);
  const { id: own } = value as { id: string };
  expect(await client.ask('DELETE', `/locks/l/${own}`)).toEqual({ status: 200, value: { was_held: true } });
});

test('one attempt cannot ask without end', async () => {
  const { client, as, sessions } = await opened();
  await as('b').lock('l', { ttlMs: 60_000, waitMs: 0 });
  const asked = Array.from({ length: 210 }, () => client.ask('POST', '/locks/l', { wait: '1h', ttl: '1ms' }));
  const answers: Answer[] = [];
  const refused = new Promise<void>((resolve) => {
    for (const one of asked) void one.then((answer) => answers.push(answer) === 10 && resolve());
  });
  await refused;
  for (const answer of answers) expect(answer).toMatchObject({ status: 413, value: { code: 'STATE_LIMIT' } });
  await sessions.revoke('job.1');
  await Promise.all(asked);
  expect(answers.filter(({ status }) => status === 403)).toHaveLength(200);
});

test('the socket of a process that died is taken over; one that cannot be made is a condition', async () => {
  const { dir, sessions } = await openBench();
  const raised = new Map<string, Omit<Condition, 'since'>>();
  const conditions = {
    raise: (one: Omit<Condition, 'since'>) => void raised.set(one.code, one),
    clear: (code: string) => void raised.delete(code),
  };
  const path = join(dir, 'state.sock');
  const stateDir = dir;
  const grant = { session: 'one', agent: 'a', holder: 'h' };
  mkdirSync(join(path, 'in the way'), { recursive: true });
  await using blocked = new AttemptStates({ sessions, stateDir, env: {}, conditions });
  expect(await blocked.grant(grant)).toBeUndefined();
  expect(raised.get('SOCKET_UNAVAILABLE')).toMatchObject({ subject: 'state.sock' });

  const other = join(dir, 'other');
  mkdirSync(other);
  const left = process.getBuiltinModule('node:net').createServer();
  left.listen(join(other, 'left.sock'));
  await once(left, 'listening');
  left.close();
  writeFileSync(join(other, 'commands'), 'in the way, too');
  await using states = new AttemptStates({ sessions, stateDir: other, env: {}, conditions });
  const state = await states.grant(grant);
  expect(raised.size).toBe(0);
  expect(existsSync(join(state?.commandsDir ?? '', 'sluice'))).toBe(true);
  expect((await new Client(state?.socket ?? '', state?.token).ask('GET', '/state')).status).toBe(200);
  await states[Symbol.asyncDispose]();
  expect(existsSync(state?.socket ?? '')).toBe(false);
});

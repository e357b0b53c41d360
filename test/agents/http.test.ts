/** Kind `http` against real servers on loopback. */
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { createHttpRunner } from '../../src/agents/http.ts';
import { headerFileName } from '../../src/agents/multipart.ts';
import { retryAfterMs } from '../../src/agents/retry-after.ts';
import type { AgentCall } from '../../src/types/agent.ts';
import { fsPath, pathFromBytes } from '../../src/types/path-bytes.ts';
import { agent, call, never, noSecrets, tempDir, until } from './attempts.ts';

const dir = tempDir();
const runner = createHttpRunner({ secrets: noSecrets, redactor: noSecrets });

beforeAll(() => {
  mkdirSync(join(dir, 'inbox'));
  writeFileSync(join(dir, 'inbox/a.txt'), 'hello');
});

async function listen(handler: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Answers once the whole request has arrived. */
const answer =
  (status: number, headers: Record<string, string>, body: string): RequestListener =>
  (request, response) =>
    void bodyOf(request).then(() => response.writeHead(status, headers).end(body));

const post = (
  url: string,
  more: Parameters<typeof agent>[1] = {},
  signal = never,
  name: string | Buffer = 'a.txt',
  headers = {},
) => {
  const attempt: AgentCall = call(dir, agent({ kind: 'http', url, headers }, more), name, {
    prompt: 'Read ${{ file.name }}',
  });
  return runner.run(attempt, signal).then((result) => ({ attempt, result }));
};
const textOf = (result: { resultFile?: string }) => readFileSync(result.resultFile as string, 'utf8');

test('the file and its metadata arrive as multipart/form-data', async () => {
  let seen: FormData | undefined;
  let auth: string | undefined;
  const { url } = await listen(async (request, response) => {
    auth = request.headers.authorization;
    const body = new Uint8Array(await bodyOf(request));
    expect(Number(request.headers['content-length'])).toBe(body.length);
    seen = await new Response(body, {
      headers: { 'content-type': request.headers['content-type'] as string },
    }).formData();
    response.end('fine');
  });
  const { attempt, result } = await post(url, {}, never, 'a.txt', { Authorization: 'Bearer x' });
  expect(result).toMatchObject({ outcome: { kind: 'responded', status: 200 }, resultBytes: 4 });
  expect(textOf(result)).toBe('fine');
  expect(auth).toBe('Bearer x');
  const file = seen?.get('file') as File;
  expect([file.name, await file.text()]).toEqual(['a.txt', 'hello']);
  expect(JSON.parse(seen?.get('metadata') as string)).toEqual({
    ...{ job_id: attempt.jobId, session_id: 's1', root: 'inbox', path: 'a.txt', sha256: 'ab12', bytes: 5 },
    ...{ rule: 'all', prompt: 'Read a.txt', depth: 0 },
  });
});

test('file names cannot break out of their header', async () => {
  expect(headerFileName('a"; name="x\r\n\r\n.txt')).toBe('a%22; name=%22x%0D%0A%0D%0A.txt');
  expect(headerFileName('ünï 日本.txt')).toBe('ünï 日本.txt');
  let names: unknown[] = [];
  const { url } = await listen(async (request, response) => {
    const body = new Uint8Array(await bodyOf(request));
    const form = await new Response(body, {
      headers: { 'content-type': request.headers['content-type'] as string },
    }).formData();
    names = [[...form.keys()], JSON.parse(form.get('metadata') as string).path];
    response.end();
  });
  for (const bytes of [Buffer.from('x"\r\nY: z\n.txt'), Buffer.from([0x61, 0xff, 0x62])]) {
    const name = pathFromBytes(bytes);
    writeFileSync(fsPath(`${dir}/inbox/${name}`), 'data');
    expect((await post(url, {}, never, bytes)).result.outcome).toEqual({ kind: 'responded', status: 200 });
    expect(names).toEqual([['metadata', 'file'], name]);
  }
});

test('JSON is shown indented, and kept raw as an output', async () => {
  const { url } = await listen(
    answer(200, { 'content-type': 'application/json; charset=utf-8' }, '{"a":[1]}'),
  );
  const { attempt, result } = await post(url);
  expect(textOf(result)).toBe('```json\n{\n  "a": [\n    1\n  ]\n}\n```\n');
  expect(readFileSync(join(attempt.outputDir, 'response.json'), 'utf8')).toBe('{"a":[1]}');
});

test.for([
  ['{"cost_usd":0.02,"usage":{"input_tokens":5,"output_tokens":2}}', 0.02, [5, 0, 0, 2]],
  ['{"cost_usd":0}', 0, undefined],
  ['{"usage":{"cache_read_tokens":7,"cache_write_tokens":"x"}}', null, [0, 7, 0, 0]],
  ['{"cost_usd":"0.02","usage":[]}', null, undefined],
  ['{"usage":{"prompt_tokens":5,"output_tokens":-1}}', null, undefined],
  ['{"usage":{"input_tokens":0}}', null, [0, 0, 0, 0]],
  ['{"cost_usd":-1,"usage":null}', null, undefined],
  ['{"answer":{"cost_usd":1}}', null, undefined],
  ['[{"cost_usd":1}]', null, undefined],
  ['null', null, undefined],
  ['{"cost_usd":1', null, undefined],
] as const)('what an answer says it took: %s', async ([body, costUsd, tokens]) => {
  const { url } = await listen(answer(200, { 'content-type': 'application/json' }, body));
  const { result } = await post(url);
  expect(result.costUsd).toBe(costUsd);
  const { usage } = result;
  expect(
    usage && [usage.input_tokens, usage.cache_read_tokens, usage.cache_write_tokens, usage.output_tokens],
  ).toEqual(tokens);
});

test('a text that looks like it says nothing about its cost, and neither does a failure', async () => {
  const text = await listen(answer(200, { 'content-type': 'text/plain' }, '{"cost_usd":1}'));
  expect((await post(text.url)).result.costUsd).toBeNull();
  const failure = await listen(answer(500, { 'content-type': 'application/json' }, '{"cost_usd":1}'));
  expect((await post(failure.url)).result.costUsd).toBeNull();
});

test('a reason that is an outcome becomes the outcome', async () => {
  const { url } = await listen((request) => void request.resume());
  const reason = { kind: 'limit_exceeded', limit: 'usd_per_day', message: 'too much', fix: 'wait' } as const;
  const controller = new AbortController();
  const posted = post(url, {}, controller.signal);
  controller.abort(reason);
  expect((await posted).result.outcome).toEqual(reason);
});

test('JSON that is none, and what is no text, are outputs that the result names', async () => {
  const { url } = await listen((request, response) => {
    const type = request.url === '/png' ? 'image/png' : 'application/json';
    void bodyOf(request).then(() => response.writeHead(200, { 'content-type': type }).end('{"a":'));
  });
  const broken = await post(url);
  expect(textOf(broken.result)).toContain('outputs/response.json');
  const picture = await post(`${url}/png`);
  expect(textOf(picture.result)).toContain('image/png');
  expect(readFileSync(join(picture.attempt.outputDir, 'response.bin'), 'utf8')).toBe('{"a":');
});

test('an empty answer has no result', async () => {
  const { url } = await listen(answer(204, {}, ''));
  const { result } = await post(url);
  expect(result).toMatchObject({ outcome: { status: 204 }, resultBytes: 0 });
  expect(result.resultFile).toBeUndefined();
});

test.for([
  [500, {}, 'it broke', { message: 'it broke' }],
  [404, {}, '', {}],
  [429, { 'retry-after': '7' }, 'slow\n down', { retryAfterMs: 7_000, message: 'slow down' }],
  [503, { 'retry-after': 'Fri, 01 Jan 2100 00:00:00 GMT' }, '', { retryAfterMs: expect.any(Number) }],
] as const)('status %i', async ([status, headers, body, more]) => {
  const { url } = await listen(answer(status, headers, body));
  expect((await post(url)).result.outcome).toEqual({ kind: 'responded', status, ...more });
});

test.for([
  ['120', 120_000],
  ['0', 0],
  ['Thu, 01 Jan 1970 00:01:00 GMT', 59_000],
  ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
  ['Sunday, 06-Nov-94 08:49:37 GMT', 784_111_776_000],
  ['-1', undefined],
  ['soon', undefined],
  ['', undefined],
  [undefined, undefined],
] as const)('Retry-After: %s', ([header, ms]) => {
  expect(retryAfterMs(header, 1_000)).toBe(ms);
});

test('redirects: followed to the same origin, refused to another, bounded', async () => {
  let hits = 0;
  const other = await listen((_request, response) => {
    hits += 1;
    response.end('stolen');
  });
  const { url } = await listen(async (request, response) => {
    const body = await bodyOf(request);
    const to = (status: number, location: string) => response.writeHead(status, { location }).end();
    if (request.url === '/here') to(308, '/there');
    else if (request.url === '/see') to(303, '/there');
    else if (request.url === '/out') to(307, `${other.url}/`);
    else if (request.url === '/round') to(302, '/round');
    else response.end(`${request.method} ${body.includes('hello')}`);
  });
  expect(textOf((await post(`${url}/here`)).result)).toBe('POST true');
  expect(textOf((await post(`${url}/see`)).result)).toBe('GET false');
  const refused = { kind: 'responded', status: 307, message: expect.stringContaining('another host') };
  expect((await post(`${url}/out`)).result.outcome).toEqual(refused);
  expect(hits).toBe(0);
  expect((await post(`${url}/round`)).result.outcome).toMatchObject({
    status: 302,
    message: expect.stringContaining('more than 5'),
  });
});

test('time-outs: in all, and without a byte', async () => {
  const { url } = await listen((request, response) => {
    request.resume();
    if (request.url === '/slow') response.write('a');
    if (request.url === '/drip') {
      const drip = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(drip));
    }
  });
  expect((await post(`${url}/never`, { timeoutMs: 100 })).result.outcome).toEqual({
    kind: 'timed_out',
    afterMs: 100,
  });
  expect((await post(`${url}/slow`, { idleTimeoutMs: 100 })).result.outcome).toEqual({
    kind: 'stalled',
    idleMs: 100,
  });
  expect((await post(`${url}/drip`, { idleTimeoutMs: 1_000, timeoutMs: 1_500 })).result.outcome.kind).toBe(
    'timed_out',
  );
});

test('an answer without end stops at the bound', async () => {
  const { url } = await listen((request, response) => {
    request.resume();
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65536)));
    };
    response.on('drain', more);
    more();
  });
  const { attempt, result } = await post(url, { maxOutputBytes: 1 << 20 });
  expect(result.outcome).toEqual({ kind: 'output_exceeded', maxBytes: 1 << 20 });
  expect(readFileSync(join(attempt.workDir, 'stdout')).length).toBeLessThanOrEqual(1 << 20);
});

test('network faults are told with their code', async () => {
  const probe = createTcpServer().listen(0, '127.0.0.1');
  await until('a port', () => probe.listening);
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  expect((await post(`http://127.0.0.1:${port}`)).result.outcome).toMatchObject({
    kind: 'unreachable',
    code: 'ECONNREFUSED',
  });
  const { url } = await listen((request) => request.destroy());
  expect((await post(url)).result.outcome).toMatchObject({
    kind: 'unreachable',
    // Whether it was still writing.
    code: expect.stringMatching(/^(ECONNRESET|EPIPE)$/),
  });
  expect((await post('ftp://x/')).result.outcome).toMatchObject({
    kind: 'unreachable',
    code: 'ERR_INVALID_URL',
  });
  const bad = await post(url, {}, never, 'a.txt', { 'x-key': 'top\nsecret' });
  expect(bad.result.outcome).toMatchObject({ kind: 'unreachable' });
  expect(JSON.stringify(bad.result)).not.toContain('secret');
  expect((await post(url, {}, never, 'missing')).result.outcome).toMatchObject({
    kind: 'unreachable',
    code: 'ENOENT',
  });
});

test('an abort ends it at once, before and during', async () => {
  const controller = new AbortController();
  let arrived = false;
  const { url } = await listen((request) => {
    arrived = true;
    request.resume();
  });
  const running = post(url, {}, controller.signal);
  await until('the request', () => arrived);
  const began = performance.now();
  controller.abort('stopping');
  expect((await running).result.outcome).toEqual({ kind: 'cancelled', reason: 'stopping' });
  expect(performance.now() - began).toBeLessThan(15_000);
  expect((await post(url, {}, controller.signal)).result.outcome).toEqual({
    kind: 'cancelled',
    reason: 'stopping',
  });
});

test('200 MiB are streamed in bounded memory, whole', async () => {
  const bytes = 200 << 20;
  const path = join(dir, 'inbox/big.bin');
  const file = openSync(path, 'w');
  writeSync(file, 'marker', bytes - 10);
  closeSync(file);
  truncateSync(path, bytes);
  let received = 0;
  let tail = Buffer.alloc(0);
  const { url } = await listen((request, response) => {
    request.on('data', (chunk: Buffer) => {
      received += chunk.length;
      tail = Buffer.concat([tail, chunk]).subarray(-200);
    });
    request.on('end', () => response.end('ok'));
  });
  const before = process.memoryUsage.rss();
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 10);
  const { result } = await post(url, {}, never, 'big.bin');
  clearInterval(watch);
  expect(result.outcome).toEqual({ kind: 'responded', status: 200 });
  expect(received).toBeGreaterThan(bytes);
  expect(tail.includes('marker')).toBe(true);
  expect(peak - before).toBeLessThan(100 << 20);
});

test('a file that becomes shorter while it is sent ends the request', async () => {
  const path = join(dir, 'inbox/shrinks.bin');
  writeFileSync(path, '');
  truncateSync(path, 64 << 20);
  const { url } = await listen((request) => {
    truncateSync(path, 0);
    request.resume();
  });
  expect((await post(url, {}, never, 'shrinks.bin')).result.outcome).toMatchObject({
    kind: 'unreachable',
    message: expect.stringContaining('shorter'),
  });
});

test('secrets in URL, headers and answers', async () => {
  const secrets = {
    resolve: (text: string) => text.replace('$KEY', 'hush-hush'),
    register: () => {},
    redact: (text: string) => text.replaceAll('hush-hush', '[redacted]'),
    async redactFile(path: string) {
      writeFileSync(path, readFileSync(path, 'utf8').replaceAll('hush-hush', '[redacted]'));
    },
  };
  const { url } = await listen(async (request, response) => {
    await bodyOf(request);
    response
      .writeHead(request.url?.startsWith('/bad') ? 400 : 200)
      .end(`${request.url} ${request.headers['x-key']}`);
  });
  const redacting = createHttpRunner({ secrets, redactor: secrets });
  const headers = { 'x-key': '$KEY' };
  const good = await redacting.run(
    call(dir, agent({ kind: 'http', url: `${url}/?k=$KEY`, headers }), 'a.txt'),
    never,
  );
  expect(textOf(good)).toBe('/?k=[redacted] [redacted]');
  const bad = await redacting.run(
    call(dir, agent({ kind: 'http', url: `${url}/bad`, headers }), 'a.txt'),
    never,
  );
  expect(bad.outcome).toMatchObject({ status: 400, message: '/bad [redacted]' });
  expect(JSON.stringify([good, bad])).not.toContain('hush');
});

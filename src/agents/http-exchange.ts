/**
 * One HTTP exchange with its redirects: sends a body, streams the answer into a file, and tells how it ended. By
 * `node:http`, not `fetch`: a stalled upload, a connection that never comes about and the bytes in both directions must
 * each be seen, and a connection that an agent's server closed while idle must not be used for the next file.
 */
import { createWriteStream } from 'node:fs';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { AttemptOutcome } from '../types/agent.ts';
import { messageOf, systemCode } from '../types/errors.ts';
import { type Body, InputShrank } from './multipart.ts';
import { retryAfterMs } from './retry-after.ts';

export interface Exchange {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Default: POST. */
  readonly method?: string;
  /** Absent: none is sent. */
  readonly body?: Body;
  /** Takes the answer's body; made anew. */
  readonly bodyFile: string;
  readonly timeoutMs: number;
  /** No byte in either direction for so long. */
  readonly idleTimeoutMs?: number;
  readonly maxBytes: number;
}

export interface Answer {
  readonly outcome: AttemptOutcome;
  readonly bodyBytes: number;
  readonly contentType: string;
}

const connectTimeoutMs = 10_000;
const maxRedirects = 5;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Thrown inside to end the exchange with this outcome. */
class Ended extends Error {
  readonly outcome: AttemptOutcome;
  constructor(outcome: AttemptOutcome) {
    super(outcome.kind);
    this.outcome = outcome;
  }
}

/** Never rejects. An abort ends it at once, with the outcome that `ended` gives. */
export async function exchange(
  options: Exchange,
  signal: AbortSignal,
  ended: () => AttemptOutcome,
): Promise<Answer> {
  const { timeoutMs } = options;
  const ending = new AbortController();
  const timer = setTimeout(
    () => ending.abort(new Ended({ kind: 'timed_out', afterMs: timeoutMs })),
    timeoutMs,
  );
  const cancel = () => ending.abort(new Ended(ended()));
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  try {
    return await follow(options, ending);
  } catch (error) {
    const why = ending.signal.aborted ? ending.signal.reason : error;
    return { outcome: why instanceof Ended ? why.outcome : unreachable(why), bodyBytes: 0, contentType: '' };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', cancel);
  }
}

async function follow(options: Exchange, ending: AbortController): Promise<Answer> {
  let { url } = options;
  let method = options.method ?? 'POST';
  for (let hops = 0; ; hops += 1) {
    ending.signal.throwIfAborted();
    const response = await send(options, url, method, ending);
    const status = response.statusCode ?? 0;
    if (!redirects.has(status) || response.headers.location === undefined)
      return receive(options, response, ending);
    response.destroy();
    const refuse = (message: string) => new Ended({ kind: 'responded', status, message });
    const target = URL.parse(response.headers.location, url.href);
    if (target === null) throw refuse('it redirects to something that is no URL');
    if (target.origin !== url.origin)
      throw refuse(`it redirects to another host (${target.origin}), which the file is not sent to`);
    if (hops === maxRedirects) throw refuse(`it redirects more than ${maxRedirects} times`);
    // 303 says: the answer is over there. All others: send it there.
    if (status === 303) method = 'GET';
    url = target;
  }
}

/** Resolves with the head of the answer; the body is still being sent, if the server answers early. */
function send(
  options: Exchange,
  url: URL,
  method: string,
  ending: AbortController,
): Promise<IncomingMessage> {
  const { headers, idleTimeoutMs } = options;
  const body = method === 'GET' ? undefined : options.body;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const bodyHeaders = body && {
    ...(body.contentType !== undefined && { 'content-type': body.contentType }),
    'content-length': body.contentLength,
  };
  let request: ClientRequest;
  try {
    const open = url.protocol === 'https:' ? requestHttps : requestHttp;
    const all = {
      accept: 'application/json, text/*;q=0.9, */*;q=0.5',
      'user-agent': 'sluice',
      ...headers,
      ...bodyHeaders,
    };
    request = open(url, { method, headers: all, agent: false, signal: ending.signal });
  } catch (error) {
    // A header or URL that is malformed; its value may be a secret and is not shown.
    return Promise.reject(
      new Ended({
        kind: 'unreachable',
        code: systemCode(error) ?? 'EINVAL',
        message: 'its URL or a header is malformed',
      }),
    );
  }
  const connecting = setTimeout(
    () =>
      request.destroy(
        new Ended({
          kind: 'unreachable',
          code: 'ETIMEDOUT',
          message: `no connection within ${connectTimeoutMs / 1000} s`,
        }),
      ),
    connectTimeoutMs,
  );
  request.on('socket', (socket) => {
    const connected = () => clearTimeout(connecting);
    if (!socket.connecting) connected();
    socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', connected);
    if (idleTimeoutMs !== undefined)
      socket.setTimeout(idleTimeoutMs, () =>
        ending.abort(new Ended({ kind: 'stalled', idleMs: idleTimeoutMs })),
      );
  });
  request.on('close', () => clearTimeout(connecting));
  request.on('response', resolve);
  request.on('error', reject);
  if (!body) request.end();
  else {
    pipeline(body.stream(), request).catch((error: unknown) => {
      if (error instanceof InputShrank)
        ending.abort(new Ended({ kind: 'unreachable', code: 'EIO', message: error.message }));
      // A server may answer and close before it has read everything: the answer counts. Otherwise it rejects.
      else reject(error);
    });
  }
  return promise;
}

async function receive(
  options: Exchange,
  response: IncomingMessage,
  ending: AbortController,
): Promise<Answer> {
  const { maxBytes, bodyFile } = options;
  const status = response.statusCode ?? 0;
  let bodyBytes = 0;
  const bounded = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bodyBytes += chunk.length;
      if (bodyBytes > maxBytes) done(new Ended({ kind: 'output_exceeded', maxBytes }));
      else done(null, chunk);
    },
  });
  try {
    await pipeline(response, bounded, createWriteStream(bodyFile, { mode: 0o600 }), {
      signal: ending.signal,
    });
  } finally {
    // A server that answered early gets no more of the file.
    response.destroy();
  }
  const retryAfter = retryAfterMs(response.headers['retry-after'], Date.now());
  return {
    outcome: { kind: 'responded', status, ...(retryAfter === undefined ? {} : { retryAfterMs: retryAfter }) },
    bodyBytes,
    contentType: response.headers['content-type'] ?? '',
  };
}

function unreachable(error: unknown): AttemptOutcome {
  // Several addresses were tried: the first failure says most.
  const first = error instanceof AggregateError ? (error.errors[0] ?? error) : error;
  return {
    kind: 'unreachable',
    code: systemCode(first) ?? systemCode(error) ?? 'EIO',
    message: messageOf(first),
  };
}

/**
 * The socket on which running attempts read and write the state of their session. Never the control socket: a token opens
 * one session, that one everything. HTTP and JSON by `node:http` alone; loaded when the first attempt needs it.
 */
import { rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { listenOwnerOnly } from '../sockets/listen.ts';
import { AppError, messageOf } from '../types/errors.ts';
import { limitError } from './limits.ts';
import { answerState, type StateAnswer } from './requests.ts';
import type { Grant, Sessions } from './sessions.ts';

export interface StateSocketOptions {
  readonly path: string;
  readonly sessions: Sessions;
}

const MAX_BODY_BYTES = 4 << 20;
const MAX_READ_BYTES = 64 << 20;
const MAX_CONNECTIONS = 1_000;
/** Of one attempt at once, those that wait for a lock among them. */
const MAX_REQUESTS = 200;
const RECEIVE_MS = 10_000;

/** @throws {AppError} `SOCKET_UNAVAILABLE`. */
export async function openStateSocket({ path, sessions }: StateSocketOptions): Promise<AsyncDisposable> {
  const open = new WeakMap<Grant, { count: number }>();
  const server = process
    .getBuiltinModule('node:http')
    .createServer({ requestTimeout: RECEIVE_MS, headersTimeout: RECEIVE_MS }, (request, response) => {
      void answer(sessions, open, request, response);
    });
  server.maxConnections = MAX_CONNECTIONS;
  await listenOwnerOnly(server, path, 'socket for the state of sessions');
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      rmSync(path, { force: true });
    },
  };
}

async function answer(
  sessions: Sessions,
  open: WeakMap<Grant, { count: number }>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort(new Error('the client is gone')));
  let counted: { count: number } | undefined;
  try {
    const grant = sessions.access(tokenOf(request));
    counted = open.get(grant) ?? { count: 0 };
    open.set(grant, counted);
    counted.count += 1;
    if (counted.count > MAX_REQUESTS)
      throw limitError(`More than ${MAX_REQUESTS} requests of one attempt at once`, 'Ask for less at once.');
    const body = await readJson(request);
    const signal = AbortSignal.any([gone.signal, grant.signal]);
    // The attempt may have ended while its request came in.
    signal.throwIfAborted();
    const { method = 'GET', url = '/' } = request;
    const asked = { method, path: url, signal, ...(body !== undefined && { body }) };
    send(response, await answerState(grant.state, asked, { limits: sessions.limits }));
  } catch (error) {
    send(response, problemAnswer(error));
  } finally {
    if (counted) counted.count -= 1;
  }
}

function tokenOf({ headers }: IncomingMessage): string {
  return /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // What is too large is read all the same: whoever still writes does not hear the answer.
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
    else if (bytes > MAX_READ_BYTES) break;
  }
  if (bytes > MAX_BODY_BYTES)
    throw limitError(`The request has more than ${MAX_BODY_BYTES} bytes`, 'Divide it, or use a file.');
  if (bytes === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)));
  } catch (cause) {
    throw new AppError('USAGE', `The body is no JSON: ${messageOf(cause)}`, { cause, fix: 'Correct it.' });
  }
}

const statusOf: Partial<Record<AppError['code'], number>> = {
  USAGE: 400,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  NOT_POSSIBLE: 409,
  CONFLICT: 409,
  LOCKED: 423,
  STATE_LIMIT: 413,
};

function problemAnswer(error: unknown): StateAnswer {
  if (error instanceof AppError) {
    const { code, message, fix } = error;
    return { status: statusOf[code] ?? 500, body: { code, detail: message, fix } };
  }
  const body = { code: 'INTERNAL', detail: messageOf(error), fix: 'Look at the log (`sluice logs`).' };
  return { status: 500, body };
}

function send(response: ServerResponse, { status, body }: StateAnswer): void {
  if (response.destroyed || response.headersSent) return;
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'Content-Type': status < 400 ? 'application/json' : 'application/problem+json',
    'Content-Length': Buffer.byteLength(text),
    // What was too large is not read to its end.
    Connection: 'close',
  });
  response.end(text);
}

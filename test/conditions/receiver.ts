/** A webhook's other end: a real server on the loopback that answers as the test says, and keeps what it got. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

export interface Got {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly at: number;
}

export interface Receiver {
  readonly url: string;
  readonly got: readonly Got[];
  /** Bodies as JSON. */
  readonly said: readonly Said[];
  /** How the next requests are answered; then 200 again. */
  answer(...answers: Answer[]): void;
  /** From now on 200. */
  recover(): void;
}

export interface Said {
  readonly event: string;
  readonly code: string | null;
  readonly subject: string;
  readonly count: number;
  readonly message: string;
  readonly items?: readonly { readonly subject: string }[];
}

export type Answer = (response: ServerResponse, request: IncomingMessage) => void;

export const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (response) =>
    void response.writeHead(code, headers).end('no');

export async function startReceiver(): Promise<Receiver> {
  const got: Got[] = [];
  const answers: Answer[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      got.push({ path: request.url ?? '', headers: request.headers, body, at: Date.now() });
      (answers.shift() ?? status(200))(response, request);
    });
    request.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    got,
    get said() {
      return got.map(({ body }) => JSON.parse(body) as Said);
    },
    answer: (...next) => void answers.push(...next),
    recover: () => void answers.splice(0),
  };
}

/** Waits for a state that comes by itself; the deadline names what did not come. */
export async function until(what: string, holds: () => boolean, deadlineMs = 60_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`gave up after ${deadlineMs} ms waiting until ${what}`);
    await sleep(5);
  }
}

/** An HTTP agent of a test's own: it answers as the test says, at this moment. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface HttpAgent {
  readonly url: string;
  /** Requests so far. */
  calls(): number;
  /** The most that were open at once. */
  peak(): number;
  answer(how: (response: ServerResponse) => void): void;
}

export async function startHttpAgent(answer: (response: ServerResponse) => void): Promise<HttpAgent> {
  let how = answer;
  let calls = 0;
  let open = 0;
  let peak = 0;
  const server = createServer((request, response) => {
    calls += 1;
    open += 1;
    peak = Math.max(peak, open);
    response.on('close', () => {
      open -= 1;
    });
    request.resume().on('end', () => how(response));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    calls: () => calls,
    peak: () => peak,
    answer(next) {
      how = next;
    },
  };
}

export function status(code: number, text = ''): (response: ServerResponse) => void {
  return (response) => void response.writeHead(code, { 'content-type': 'text/plain' }).end(text);
}

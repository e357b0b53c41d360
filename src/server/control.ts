/**
 * The HTTP API on the unix socket. Only the owner can connect: the socket and its folder are owner-only. A TCP listener
 * with a token would be one more listener of the same application.
 *
 * The application is loaded when it is first asked something: fastify takes a tenth of a second and ten megabytes, which
 * a daemon that nobody asks need not have, and which would be missing where the first sweep is at work.
 */
import { rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Operations } from '../operations/operations.ts';
import { listenOwnerOnly } from '../sockets/listen.ts';
import { messageOf } from '../types/errors.ts';

export interface ControlServerOptions {
  readonly socket: string;
  readonly operations: Operations;
}

/** @throws AppError SOCKET_UNAVAILABLE. */
export async function startControlServer({
  socket,
  operations,
}: ControlServerOptions): Promise<AsyncDisposable> {
  // Not imported: the names that an ES import of node:http makes load undici too.
  const server = process.getBuiltinModule('node:http').createServer(answerWith(operations));
  await listenOwnerOnly(server, socket, 'control socket');
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      rmSync(socket, { force: true });
    },
  };
}

function answerWith(operations: Operations): (request: IncomingMessage, response: ServerResponse) => void {
  let app: Promise<{ routing(request: IncomingMessage, response: ServerResponse): void }> | undefined;
  return (request, response) => {
    app ??= import('./app.ts').then(({ createApp }) => createApp(operations));
    app.then(
      (ready) => ready.routing(request, response),
      (error: unknown) => response.writeHead(500).end(messageOf(error)),
    );
  };
}

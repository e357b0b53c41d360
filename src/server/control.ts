/**
 * The HTTP API on the unix socket. Only the owner can connect: the socket and its folder are owner-only. A TCP listener
 * with a token would be one more listener of the same application.
 *
 * The application is loaded when it is first asked something: fastify takes a tenth of a second and ten megabytes, which
 * a daemon that nobody asks need not have, and which would be missing where the first sweep is at work.
 */
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { Operations } from '../operations/operations.ts';
import { AppError, messageOf } from '../types/errors.ts';

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
  try {
    await listen(server, socket);
  } catch (cause) {
    server.close();
    throw new AppError(
      'SOCKET_UNAVAILABLE',
      `Cannot open the control socket "${socket}": ${messageOf(cause)}`,
      {
        cause,
        fix: 'Check that its folder can be written and lies on a local disk.',
      },
    );
  }
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

async function listen(server: Server, socket: string): Promise<void> {
  mkdirSync(dirname(socket), { recursive: true, mode: 0o700 });
  if (await isStale(socket)) rmSync(socket, { force: true });
  const mask = process.umask(0o077);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(socket, resolve);
    });
  } finally {
    process.umask(mask);
  }
  chmodSync(socket, 0o600);
}

/** A socket that nobody answers on was left by a daemon that died: the project lock says that we are the only one. */
async function isStale(socket: string): Promise<boolean> {
  if (!lstatSync(socket, { throwIfNoEntry: false })?.isSocket()) return false;
  return new Promise((resolve) => {
    const probe = connect(socket);
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', () => resolve(true));
  });
}

/**
 * The HTTP API on the unix socket. Only the owner can connect: the socket and its folder are owner-only. A TCP listener
 * with a token would be one more listener of this server.
 */
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Operations } from '../operations/operations.ts';
import { AppError, messageOf } from '../types/errors.ts';
import { problemOf } from './problem.ts';
import { addRoutes } from './routes.ts';

export interface ControlServerOptions {
  readonly socket: string;
  readonly operations: Operations;
}

/** @throws AppError SOCKET_UNAVAILABLE. */
export async function startControlServer({
  socket,
  operations,
}: ControlServerOptions): Promise<AsyncDisposable> {
  // Forty milliseconds to load: the watcher has started when it comes to this.
  const { fastify } = await import('fastify');
  const server = fastify({ logger: false, forceCloseConnections: true, bodyLimit: 16 << 20 });
  server.setErrorHandler((error, _request, reply) => {
    const problem = problemOf(error);
    return reply.code(problem.status).type('application/problem+json').send(problem);
  });
  server.setNotFoundHandler((request) => {
    throw new AppError('NOT_FOUND', `No route ${request.method} ${request.url}`, {
      fix: 'See docs/operations.md.',
    });
  });
  addRoutes(server, operations);
  try {
    await listen(server, socket);
  } catch (cause) {
    await server.close();
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
      await server.close();
      rmSync(socket, { force: true });
    },
  };
}

async function listen(server: FastifyInstance, socket: string): Promise<void> {
  mkdirSync(dirname(socket), { recursive: true, mode: 0o700 });
  if (await isStale(socket)) rmSync(socket, { force: true });
  const mask = process.umask(0o077);
  try {
    await server.listen({ path: socket });
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

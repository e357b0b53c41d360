/** The HTTP application: routes, and errors as problems. It knows nothing of sockets, so that every listener serves the same. */
import { type FastifyInstance, fastify } from 'fastify';
import type { Operations } from '../operations/operations.ts';
import { AppError } from '../types/errors.ts';
import { problemOf } from './problem.ts';
import { addRoutes } from './routes.ts';
import { addSessionRoutes } from './session-routes.ts';

export async function createApp(operations: Operations): Promise<FastifyInstance> {
  const app = fastify({ logger: false, bodyLimit: 16 << 20 });
  app.setErrorHandler((error, _request, reply) => {
    const problem = problemOf(error);
    return reply.code(problem.status).type('application/problem+json').send(problem);
  });
  app.setNotFoundHandler((request) => {
    throw new AppError('NOT_FOUND', `No route ${request.method} ${request.url}`, {
      fix: 'See docs/operations.md.',
    });
  });
  addRoutes(app, operations);
  addSessionRoutes(app, operations);
  await app.ready();
  return app;
}

/** Sessions for the owner. What can be asked of a state stands in `sessions/requests.ts`; here it is only passed on. */
import type { FastifyInstance } from 'fastify';
import type { Operations } from '../operations/operations.ts';
import type { StateRequest } from '../sessions/requests.ts';

export function addSessionRoutes(server: FastifyInstance, operations: Operations): void {
  const limit = { type: 'integer', minimum: 1, maximum: 1_000_000, default: 100 };
  server.get<{ Querystring: { limit: number } }>(
    '/api/sessions',
    { schema: { querystring: { type: 'object', properties: { limit }, additionalProperties: false } } },
    async (request) => ({ sessions: await operations.sessions(request.query.limit) }),
  );
  server.get<{ Params: { id: string } }>('/api/sessions/:id', (request) =>
    operations.session(request.params.id),
  );
  server.route<{ Params: { id: string }; Querystring: { agent?: string } }>({
    method: ['GET', 'POST', 'DELETE'],
    url: '/api/sessions/:id/*',
    async handler(request, reply) {
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort(new Error('the client is gone')));
      const { id: session } = request.params;
      const { agent } = request.query;
      const asked: StateRequest = {
        method: request.method,
        // As it was written: a key may hold an encoded slash.
        path: request.url.replace(/^\/api\/sessions\/[^/?]+/, ''),
        signal: gone.signal,
        ...(request.body !== undefined && request.body !== null && { body: request.body }),
      };
      const { status, body } = await operations.askSession({
        session,
        request: asked,
        ...(agent !== undefined && { agent }),
      });
      return reply.code(status).send(body);
    },
  });
}

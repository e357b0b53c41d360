/** Agents by HTTP. */
import type { FastifyInstance } from 'fastify';
import type { Operations } from '../operations/operations.ts';
import { object, text } from './shapes.ts';

const WHO = 'the owner';

export function addAgentRoutes(server: FastifyInstance, { agents }: Operations): void {
  server.get('/api/agents', () => agents.list());
  server.post<{ Params: { name: string } }>('/api/agents/:name/pause', (request) =>
    agents.pause(request.params.name, WHO),
  );
  server.post<{ Params: { name: string } }>('/api/agents/:name/resume', (request) =>
    agents.resume(request.params.name, WHO),
  );
  server.post<{ Params: { name: string }; Body: { prompt?: string } }>(
    '/api/agents/:name/test',
    { schema: { body: object({ prompt: text }) } },
    async ({ params, body }, reply) => reply.code(202).send(agents.test(params.name, body.prompt).report()),
  );
  server.get<{ Params: { id: string }; Querystring: { after: number } }>(
    '/api/agents/tests/:id',
    { schema: { querystring: object({ after: { type: 'integer', minimum: 0, default: 0 } }) } },
    async ({ params, query }) => agents.followTest(params.id, query.after),
  );
}

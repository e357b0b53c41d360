/** Workflows and runs by HTTP. */
import type { FastifyInstance } from 'fastify';
import type { Operations } from '../operations/operations.ts';
import type { StartRequest } from '../operations/workflows/workflow-operations.ts';
import { finalRunStates, type RunState } from '../types/run.ts';
import { limit, object, text } from './shapes.ts';

const states: readonly RunState[] = ['queued', 'running', 'waiting', ...finalRunStates];

export function addWorkflowRoutes(server: FastifyInstance, { workflows }: Operations): void {
  server.get('/api/workflows', async () => ({ workflows: await workflows.list() }));
  server.get<{ Params: { name: string } }>('/api/workflows/:name', async (request) =>
    workflows.definition(request.params.name),
  );

  server.post<{ Body: StartRequest }>(
    '/api/runs',
    {
      schema: {
        body: object({
          workflow: text,
          file: text,
          inputs: { type: 'object' },
          force: { type: 'boolean' },
          depth: { type: 'integer', minimum: 0 },
        }),
      },
    },
    async ({ body: { workflow, file, inputs, force, depth } }, reply) =>
      reply.code(202).send(
        await workflows.start({
          ...(workflow !== undefined && { workflow }),
          ...(file !== undefined && { file }),
          ...(inputs && { inputs }),
          ...(force && { force }),
          ...(depth !== undefined && { depth }),
        }),
      ),
  );
  server.get<{ Querystring: { workflow?: string; state?: string; all?: boolean; limit: number } }>(
    '/api/runs',
    {
      schema: { querystring: object({ workflow: text, state: text, all: { type: 'boolean' }, limit }) },
    },
    async ({ query: { workflow, state, all = false, limit: most } }) => {
      const wanted = state?.split(',').filter((name): name is RunState => states.includes(name as RunState));
      const runs = await workflows.runs({
        ...(workflow !== undefined && { workflow }),
        ...(wanted && { states: wanted }),
        all,
        limit: most,
      });
      return { runs };
    },
  );
  server.get<{ Params: { id: string } }>('/api/runs/:id', (request) => workflows.show(request.params.id));
  server.get<{ Params: { id: string }; Querystring: { after: number } }>(
    '/api/runs/:id/progress',
    { schema: { querystring: object({ after: { type: 'integer', minimum: 0, default: 0 } }) } },
    ({ params, query }) => workflows.follow(params.id, query.after),
  );
  server.post<{ Params: { id: string } }>('/api/runs/:id/cancel', (request) =>
    workflows.cancel(request.params.id, 'the owner'),
  );
  server.post<{ Params: { id: string }; Body: { force?: boolean } }>(
    '/api/runs/:id/resume',
    { schema: { body: object({ force: { type: 'boolean' } }) } },
    ({ params, body }) => workflows.resume(params.id, body.force),
  );
  server.post<{
    Params: { id: string };
    Body: { step?: string; verdict: 'approved' | 'rejected'; comment?: string };
  }>(
    '/api/runs/:id/answer',
    {
      schema: {
        body: object({ step: text, verdict: { enum: ['approved', 'rejected'] }, comment: text }, ['verdict']),
      },
    },
    ({ params, body }) => workflows.answer(params.id, { ...body, who: 'the owner' }),
  );
}

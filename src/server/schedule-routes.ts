/** Schedules by HTTP. */
import type { FastifyInstance } from 'fastify';
import type { Operations } from '../operations/operations.ts';
import { object } from './shapes.ts';

export function addScheduleRoutes(server: FastifyInstance, operations: Operations): void {
  server.get<{ Querystring: { next: number } }>(
    '/api/schedules',
    {
      schema: {
        querystring: object({ next: { type: 'integer', minimum: 1, maximum: 1_000, default: 1 } }),
      },
    },
    async ({ query }) => ({ schedules: await operations.schedules(query) }),
  );
}

/** Which request is which operation. Shapes are checked here, by schema; what they mean is decided below. */
import type { FastifyInstance } from 'fastify';
import type { LogLevel } from '../config/config.ts';
import type { Operations } from '../operations/operations.ts';
import type { ReleaseRequest } from '../operations/release.ts';
import type { RetryRequest } from '../operations/retry.ts';
import type { RunRequest } from '../operations/run.ts';
import { type Disposition, finalStates, type JobStateName } from '../types/job.ts';
import { addAgentRoutes } from './agent-routes.ts';
import { addScheduleRoutes } from './schedule-routes.ts';
import { limit, object, strings, text } from './shapes.ts';
import { addWorkflowRoutes } from './workflow-routes.ts';

const states: readonly JobStateName[] = ['queued', 'running', 'waiting', 'held', ...finalStates];
const dispositions = ['processed', 'cached', 'failed', 'quarantined', 'ignored', 'unrouted', 'held'];

export function addRoutes(server: FastifyInstance, operations: Operations): void {
  addWorkflowRoutes(server, operations);
  addScheduleRoutes(server, operations);
  addAgentRoutes(server, operations);
  server.get('/health', async () => ({ status: 'ok' }));
  server.get('/api/status', () => operations.status());

  server.get<{ Querystring: { path: string } }>(
    '/api/why',
    { schema: { querystring: object({ path: text }, ['path']) } },
    (request) => operations.why(request.query.path),
  );

  server.get<{ Querystring: { root?: string; disposition?: Disposition; under?: string; limit: number } }>(
    '/api/files',
    {
      schema: {
        querystring: object({ root: text, under: text, disposition: { enum: dispositions }, limit }),
      },
    },
    async (request) => ({ files: await operations.files(request.query) }),
  );

  server.get<{
    Querystring: {
      state?: string;
      agent?: string;
      root?: string;
      path?: string;
      ended_since?: number;
      limit: number;
    };
  }>(
    '/api/jobs',
    {
      schema: {
        querystring: object({
          state: text,
          agent: text,
          root: text,
          path: text,
          ended_since: { type: 'integer' },
          limit,
        }),
      },
    },
    async ({ query: { state, ended_since, ...rest } }) => {
      const wanted = state
        ?.split(',')
        .filter((name): name is JobStateName => states.includes(name as JobStateName));
      const jobs = await operations.jobs({
        ...rest,
        ...(wanted && { states: wanted }),
        ...(ended_since !== undefined && { endedSince: ended_since }),
      });
      return { jobs };
    },
  );
  server.get<{ Params: { id: string } }>('/api/jobs/:id', (request) => operations.job(request.params.id));
  server.post<{ Params: { id: string } }>('/api/jobs/:id/cancel', (request) =>
    operations.cancel(request.params.id, 'the owner'),
  );
  server.post<{ Body: ReleaseRequest }>(
    '/api/jobs/release',
    { schema: { body: object({ jobs: strings, held: { type: 'boolean' }, rule: text }) } },
    (request) => operations.release(request.body),
  );
  server.post<{ Params: { id: string }; Body: { force: boolean } }>(
    '/api/jobs/:id/undo',
    { schema: { body: object({ force: { type: 'boolean', default: false } }) } },
    (request) => operations.undo(request.params.id, request.body.force),
  );
  server.post<{ Params: { id: string }; Body: { text: string } }>(
    '/api/jobs/:id/answer',
    { schema: { body: object({ text }, ['text']) } },
    (request) => operations.answerJob(request.params.id, request.body.text),
  );
  server.post<{ Params: { id: string } }>('/api/jobs/:id/review', (request) =>
    operations.review(request.params.id, 'the owner'),
  );
  server.post<{ Params: { id: string }; Body: { verdict: 'approve' | 'refuse' } }>(
    '/api/approvals/:id',
    { schema: { body: object({ verdict: { enum: ['approve', 'refuse'] } }, ['verdict']) } },
    async (request) => operations.answer(request.params.id, request.body.verdict),
  );
  server.post<{ Body: Omit<RetryRequest, 'endedSince'> & { ended_since?: number } }>(
    '/api/jobs/retry',
    {
      schema: {
        body: object({
          targets: strings,
          failed: { type: 'boolean' },
          ended_since: { type: 'integer' },
          force: { type: 'boolean' },
          depth: { type: 'integer', minimum: 0 },
          parent: text,
        }),
      },
    },
    ({ body: { ended_since, ...rest } }) => {
      const request: RetryRequest = {
        ...rest,
        ...(ended_since !== undefined && { endedSince: ended_since }),
      };
      return operations.retry(request);
    },
  );

  server.post<{ Body: RunRequest }>(
    '/api/files/runs',
    {
      schema: {
        body: object({
          paths: strings,
          force: { type: 'boolean' },
          depth: { type: 'integer', minimum: 0 },
          parent: text,
        }),
      },
    },
    async (request, reply) => {
      const run = operations.startRun(request.body);
      return reply.code(202).send(run.report());
    },
  );
  server.get<{ Params: { id: string } }>('/api/files/runs/:id', async (request) =>
    operations.run(request.params.id).report(),
  );
  server.get<{ Params: { id: string }; Querystring: { from: number; limit: number } }>(
    '/api/files/runs/:id/receipts',
    { schema: { querystring: object({ from: { type: 'integer', minimum: 0, default: 0 }, limit }) } },
    async ({ params, query }) => ({
      receipts: await operations.run(params.id).receipts(query.from, query.limit),
    }),
  );

  server.post('/api/control/pause', async () => operations.pause());
  server.post('/api/control/resume', async () => operations.resume());
  server.post('/api/control/stop', async (_request, reply) => {
    await reply.code(202).send({ state: 'draining' });
    await operations.stop('the control socket');
  });
  server.post('/api/control/reload', () => operations.reload('the control socket'));
  server.post<{ Body: { level: LogLevel } }>(
    '/api/control/log-level',
    {
      schema: {
        body: object({ level: { enum: ['debug', 'info', 'warning', 'error', 'critical'] } }, ['level']),
      },
    },
    async ({ body: { level } }) => {
      await operations.setLogLevel(level, 'the control socket');
      return { level };
    },
  );
  server.get<{ Querystring: { since: number; points: number } }>(
    '/api/stats',
    {
      schema: {
        querystring: object(
          {
            since: { type: 'integer' },
            points: { type: 'integer', minimum: 1, maximum: 1_440, default: 60 },
          },
          ['since'],
        ),
      },
    },
    (request) => operations.stats(request.query),
  );
  server.post<{ Body: { dry_run: boolean } }>(
    '/api/control/gc',
    { schema: { body: object({ dry_run: { type: 'boolean', default: false } }) } },
    (request) => operations.gc(request.body.dry_run),
  );
  server.post('/api/control/rebuild-reports', () => operations.rebuildReports());
}

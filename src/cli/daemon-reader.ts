/** Listings from the running daemon. */
import type { FileView } from '../operations/file-view.ts';
import type { ScheduleView } from '../operations/schedules.ts';
import type { RunView, WorkflowView } from '../operations/workflows/views.ts';
import type { Receipt } from '../types/receipt.ts';
import type { Client } from './client.ts';
import type { Reader } from './reader.ts';

export function createDaemonReader(daemon: Client): Reader {
  return {
    status: () => daemon.get('/api/status'),
    agents: () => daemon.get('/api/agents'),
    why: (file) => daemon.get('/api/why', { path: file }),
    async files({ root, disposition, under, limit }) {
      const query = { root, disposition, under, limit };
      return (await daemon.get<{ files: FileView[] }>('/api/files', query)).files;
    },
    async jobs({ states, endedSince, agent, root, path, limit }) {
      const query = { state: states?.join(','), ended_since: endedSince, agent, root, path, limit };
      return (await daemon.get<{ jobs: Omit<Receipt, 'outputs'>[] }>('/api/jobs', query)).jobs;
    },
    job: (prefix) => daemon.get(`/api/jobs/${encodeURIComponent(prefix)}`),
    async workflows() {
      return (await daemon.get<{ workflows: WorkflowView[] }>('/api/workflows')).workflows;
    },
    async schedules({ next }) {
      return (await daemon.get<{ schedules: ScheduleView[] }>('/api/schedules', { next })).schedules;
    },
    async runs({ states, workflow, all, limit }) {
      const query = { state: states?.join(','), workflow, ...(all && { all: 'true' }), limit };
      return (await daemon.get<{ runs: RunView[] }>('/api/runs', query)).runs;
    },
    run: (part) => daemon.get(`/api/runs/${encodeURIComponent(part)}`),
    async [Symbol.asyncDispose]() {},
  };
}

/** The workflow engine with what it needs from the others: jobs from the coordinator, files from the watcher's scan, reports. */
import { lstatSync } from 'node:fs';
import type { Aggregator } from '../aggregator/aggregator.ts';
import type { Config } from '../config/config.ts';
import type { Coordinator } from '../coordinator/coordinator.ts';
import type { AgentPort } from '../coordinator/deps.ts';
import type { OpenLog } from '../logging/log.ts';
import { mayChangeTree } from '../reviews/job-work.ts';
import type { Reviews } from '../reviews/reviews.ts';
import { fsPath } from '../types/path-bytes.ts';
import type { WorkflowsDeps } from '../workflows/deps.ts';
import { createFileAccess } from '../workflows/files-access.ts';
import { Workflows } from '../workflows/workflows.ts';
import { cancelUnlessEnded } from './cancel.ts';
import { ownFolders } from './own-folders.ts';
import { processFolder, takeAgain } from './process-folder.ts';
import type { ProjectRecord } from './record.ts';

export interface OpenWorkflowsOptions {
  readonly config: () => Config;
  readonly record: Pick<ProjectRecord, 'ledger' | 'conditions'>;
  readonly coordinator: Coordinator;
  readonly aggregator: () => Aggregator;
  readonly reviews: Reviews;
  readonly redact: (text: string) => string;
  readonly log: OpenLog['log'];
}

export function openWorkflows(o: OpenWorkflowsOptions): Workflows {
  const { config, coordinator, aggregator } = o;
  const { ledger, conditions } = o.record;
  const folder = { config, ledger, coordinator: () => coordinator };
  const deps: WorkflowsDeps = {
    config: config(),
    ledger,
    jobs: {
      submit: (task, how) => coordinator.submitStep(task, how),
      cancel: (id, reason) => cancelUnlessEnded(coordinator, id, reason),
      subscribe: (listener) => coordinator.events.subscribe(listener),
      async resultOf(job) {
        const place = await aggregator().locate(job);
        if (!place) return undefined;
        const { resultFile: file, outputsDir } = place;
        const bytes =
          file === undefined ? 0 : (lstatSync(fsPath(file), { throwIfNoEntry: false })?.size ?? 0);
        return {
          ...(file !== undefined && { file }),
          bytes,
          ...(outputsDir !== undefined && { outputsDir }),
        };
      },
    },
    files: {
      process: (request) => processFolder(folder, request),
      again: (job) => takeAgain(folder, job),
      access: createFileAccess({ config, excluded: () => ownFolders(config()) }),
    },
    selectAgents: (names, policy, bytes) => coordinator.chooseAgents(names, policy, bytes),
    publish: {
      run: (id) => aggregator().publishRun(id),
      isPublished: async (run) => aggregator().isRunPublished(run),
      writeOutput: (file) => aggregator().writeStepOutput(file),
      folder: (run) => aggregator().runFolder(run),
      reportLink: (run, input) => aggregator().runReportLink(run, input),
    },
    reviews: o.reviews,
    changesOf(job) {
      const agent = config().agents.get(job.agent);
      if (!agent || !mayChangeTree(agent, job.step)) return { kind: 'none' };
      return { kind: 'in_place', dir: config().projectDir, exclude: ownFolders(config()) };
    },
    conditions,
    env: process.env,
    redact: o.redact,
    log: o.log,
    now: Date.now,
    random: Math.random,
  };
  return new Workflows(deps);
}

/** Agents as the coordinator sees them: a file that a rule sends to a workflow has a run for its attempt. */
export function withWorkflows(
  agents: AgentPort,
  /** Resolves when runs can be taken up. */
  workflows: () => Promise<Pick<Workflows, 'runForFile'>>,
): AgentPort {
  return {
    run: async (call, signal) =>
      call.agent.kind === 'workflow'
        ? (await workflows()).runForFile(call, signal)
        : agents.run(call, signal),
    version: async (agent, path) =>
      agent.kind === 'workflow' ? agent.definition : agents.version(agent, path),
    available: async (agent) => (agent.kind === 'workflow' ? undefined : agents.available(agent)),
    logInEvidence: (agent) => agents.logInEvidence(agent),
  };
}

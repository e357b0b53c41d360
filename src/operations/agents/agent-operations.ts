/** What can be asked of the agents of a project: how they stand, to pause one, to let it go on, and to try it out. */
import { type AgentConfig, isOwnAgent } from '../../config/config.ts';
import { standingOf } from '../../engine/agent-standing.ts';
import { AppError } from '../../types/errors.ts';
import type { JobRecord } from '../../types/job.ts';
import { nearest } from '../../types/nearest.ts';
import type { Host } from '../host.ts';
import type { JobDetail } from '../operations.ts';
import { type AgentsReport, listAgents } from './agent-list.ts';
import { AgentTest, type AgentTestReport } from './agent-test.ts';

/** A test that is over can be asked about for so long. */
const KNOWN_MS = 600_000;

export interface AgentOperationsDeps {
  readonly host: Host;
  /** Aborted when the host stops: tests end with it. */
  readonly signal: AbortSignal;
  readonly describe: (job: JobRecord) => Promise<JobDetail>;
}

export class AgentOperations {
  readonly #host: Host;
  readonly #deps: AgentOperationsDeps;
  readonly #tests = new Map<string, AgentTest>();

  constructor(deps: AgentOperationsDeps) {
    this.#host = deps.host;
    this.#deps = deps;
  }

  list(): Promise<AgentsReport> {
    const { config, ledger, coordinator, available } = this.#host;
    const parked = coordinator.parked();
    const now = Date.now();
    return listAgents({
      config: config(),
      ledger,
      standing: async (agent) =>
        standingOf({
          problem: await available(agent),
          parked: parked.get(agent.name),
          breaker: agent.breaker && coordinator.breaker(agent.name),
          now,
        }),
      now,
    });
  }

  /** Starts nothing more of it, also after a restart; what runs goes on. */
  async pause(name: string, who: string): Promise<{ agent: string }> {
    const { coordinator, ledger } = this.#host;
    const agent = this.agent(name);
    await coordinator.pauseAgent(agent.name, who);
    await ledger.audit.append({ type: 'agent_pause', who, data: { agent: agent.name } });
    return { agent: agent.name };
  }

  /** Ends a pause, and the wait for a quota. @returns `was_parked` false: there was nothing to end. */
  async resume(name: string, who: string): Promise<{ agent: string; was_parked: boolean }> {
    const { coordinator, ledger } = this.#host;
    const agent = this.agent(name);
    const wasParked = await coordinator.resumeAgent(agent.name);
    if (wasParked) await ledger.audit.append({ type: 'agent_resume', who, data: { agent: agent.name } });
    return { agent: agent.name, was_parked: wasParked };
  }

  /** Begins to try an agent out: see `agent-test.ts`. It goes on whether anybody follows it or not. */
  test(name: string, prompt?: string): AgentTest {
    const { signal, describe } = this.#deps;
    const agent = this.agent(name);
    const test = new AgentTest({
      host: this.#host,
      describe,
      agent,
      signal,
      ...(prompt !== undefined && { prompt }),
    });
    this.#tests.set(test.id, test);
    void test.done.then(() => setTimeout(() => this.#tests.delete(test.id), KNOWN_MS).unref());
    return test;
  }

  /** @param after Steps up to this number are known already. @throws AppError NOT_FOUND. */
  followTest(id: string, after: number): AgentTestReport {
    const test = this.#tests.get(id);
    if (test) return test.report(after);
    throw new AppError('NOT_FOUND', `No test "${id}" of an agent`, {
      fix: 'A test is known for ten minutes after its end.',
    });
  }

  /** @throws AppError NOT_FOUND, with the name that was probably meant. */
  agent(name: string): AgentConfig {
    return findAgent(this.#host.config().agents, name);
  }
}

export function findAgent(agents: ReadonlyMap<string, AgentConfig>, name: string): AgentConfig {
  const agent = agents.get(name);
  if (agent && !isOwnAgent(name)) return agent;
  const names = [...agents.keys()].filter((other) => !isOwnAgent(other));
  const meant = nearest(name, names);
  throw new AppError('NOT_FOUND', `No agent "${name}" is configured`, {
    fix:
      meant === undefined
        ? `Configured are: ${names.join(', ') || 'none'}.`
        : `Did you mean "${meant}"? Configured are: ${names.join(', ')}.`,
  });
}

/**
 * Can commands be confined here? Found out as the daemon does, by confining one that does nothing. With a host list it is
 * another program that confines, which is only looked for.
 */
import { type AgentConfig, type Config, isCliAgent, type SandboxConfig } from '../../config/config.ts';
import { hostsProblem, needsHosts } from '../../sandbox/hosts.ts';
import { probeBwrap } from '../../sandbox/probe.ts';
import type { Remedy } from '../../sandbox/remedy.ts';
import { type Check, fail, good, warn } from './check.ts';
import type { Surroundings } from './surroundings.ts';

const name = 'sandbox';

type Confined = AgentConfig & { readonly sandbox: Exclude<SandboxConfig, { mode: 'off' }> };

export async function checkSandbox(config: Config | undefined, { env }: Surroundings): Promise<Check[]> {
  const path = env.PATH ?? '';
  const agents = [...(config?.agents.values() ?? [])].filter(isConfined);
  const withHosts = agents.filter(({ sandbox }) => needsHosts(sandbox));
  const others = agents.filter((agent) => !withHosts.includes(agent));
  const checks: Check[] = [];
  if (withHosts.length > 0) {
    const problem = await hostsProblem(path);
    if (problem) checks.push(...toFindings(problem, withHosts));
    else checks.push(good(name, 'sandbox-runtime confines agents with a host list (experimental)'));
  }
  if (process.platform !== 'linux') return checks;
  const probed = await probeBwrap(path);
  if (!('problem' in probed)) return [good(name, `bubblewrap (${probed.bwrap.file}) confines`), ...checks];
  if (others.length > 0) return [...toFindings(probed.problem, others), ...checks];
  return [good(name, `${probed.problem.message}; no agent is to be confined by it`), ...checks];
}

/** Those that must be confined will not run; the others run, and do what they like. */
function toFindings({ message, fix }: Remedy, agents: readonly Confined[]): Check[] {
  const namesOf = (mode: Confined['sandbox']['mode']): string =>
    agents
      .filter(({ sandbox }) => sandbox.mode === mode)
      .map((agent) => `"${agent.name}"`)
      .join(', ');
  const [required, auto] = [namesOf('required'), namesOf('auto')];
  return [
    ...(required === '' ? [] : [fail(name, `${message}; jobs of ${required} would wait`, fix)]),
    ...(auto === '' ? [] : [warn(name, `${message}; ${auto} would run without confinement`, fix)]),
  ];
}

function isConfined(agent: AgentConfig): agent is Confined {
  return (
    (agent.kind === 'command' || isCliAgent(agent)) &&
    agent.sandbox !== undefined &&
    agent.sandbox.mode !== 'off'
  );
}

/**
 * Can `limits.cpu` and `limits.memory` be enforced? Tries what the daemon would use, but for moving processes: a service
 * with `Delegate=yes` gets a group of its own to divide, which a terminal does not have, so with `--as-service` the unit
 * is believed.
 */
import { existsSync, readFileSync } from 'node:fs';
import type { LimitsBackendName } from '../../agents/spawner/limits/cage.ts';
import { probeLimits } from '../../agents/spawner/limits/probe.ts';
import { enforcesCpu, unavailableFix } from '../../agents/spawner/limits/problem.ts';
import { managerEnvironment } from '../../agents/spawner/limits/systemd-run.ts';
import type { Config } from '../../config/config.ts';
import { type Check, fail, good, warn } from './check.ts';
import type { Surroundings } from './surroundings.ts';

const words: Readonly<Record<LimitsBackendName, string>> = {
  cgroup2: 'cpu and memory: enforced (cgroup v2)',
  cgroup1: 'cpu and memory: enforced (cgroup v1)',
  'systemd-run': 'cpu and memory: enforced (systemd-run)',
  watched: 'cpu: not enforced (niced); memory: watched, at least twice a second',
};

export function checkLimits(config: Config | undefined, surroundings: Surroundings): Check[] {
  const name = 'limits';
  const agents = [...(config?.agents.values() ?? [])].filter(
    ({ limits }) => limits?.cpuPercent !== undefined,
  );
  if (surroundings.asService && isDelegatedService(surroundings))
    return [good(name, `${words.cgroup2} when the service runs: its unit has Delegate=yes`)];
  const { backend, refused } = probeLimits({
    tag: `doctor-${process.pid}`,
    daemonPid: process.pid,
    managerEnv: managerEnvironment(surroundings.env),
    isTrial: true,
  });
  backend.close();
  if (enforcesCpu(backend.name)) return [good(name, words[backend.name])];
  const why = refused.map(({ name: means, why: reason }) => `${means}: ${reason}`).join('; ');
  if (agents.length === 0) return [good(name, `${words.watched}; no agent has \`limits.cpu\``)];
  const asking = agents.map((agent) => `"${agent.name}"`).join(', ');
  const message = `${words.watched}; ${asking} would have \`limits.cpu\` (${why})`;
  const isRequired = agents.some(({ limits }) => limits.required);
  return [(isRequired ? fail : warn)(name, message, unavailableFix())];
}

function isDelegatedService({ host, service }: Surroundings): boolean {
  if (!host.isSystemdRunning || service === undefined) return false;
  if (!existsSync('/sys/fs/cgroup/cgroup.controllers')) return false;
  return /^Delegate=yes$/m.test(readFileSync(service.file, 'utf8'));
}

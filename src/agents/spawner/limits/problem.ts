/** Can the limits that an agent insists on be enforced here? */
import type { AgentConfig } from '../../../config/config.ts';
import { AppError } from '../../../types/errors.ts';
import type { LimitsBackendName } from './cage.ts';

/** Memory is held everywhere, if need be by watching; CPU only by control groups. */
export function enforcesCpu(backend: LimitsBackendName): boolean {
  return backend !== 'watched';
}

/** How control groups are had on this platform. */
export function unavailableFix(platform: NodeJS.Platform = process.platform): string {
  return platform === 'linux'
    ? 'Run it as a service (`sluice service install`; its unit has `Delegate=yes`), or in a login session with systemd 252 or newer.'
    : `${platform === 'darwin' ? 'macOS' : platform} cannot limit the CPU of a process tree: run such agents on Linux, or remove \`limits.required\`.`;
}

/** @returns `LIMITS_UNAVAILABLE` when the agent may not run with what is in force; undefined when it may. */
export function limitsProblem(
  { name, limits }: Pick<AgentConfig, 'name' | 'limits'>,
  backend: LimitsBackendName,
): AppError | undefined {
  if (!limits.required || limits.cpuPercent === undefined || enforcesCpu(backend)) return undefined;
  return new AppError(
    'LIMITS_UNAVAILABLE',
    `Agent "${name}" requires its limits (\`limits.required\`), and CPU limits cannot be enforced on this machine`,
    { fix: unavailableFix() },
  );
}

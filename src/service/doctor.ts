/**
 * Looks for what will not work on this machine, before files lie there unprocessed. Each check tries the thing itself
 * where that leaves no trace; each finding has something to paste. Reads only; starts no agent, but asks programs of agent
 * CLIs for their version.
 */
import type { Config } from '../config/config.ts';
import { AppError, messageOf } from '../types/errors.ts';
import { checkAgentClis } from './doctor/agent-clis.ts';
import { type Check, fail, good } from './doctor/check.ts';
import { checkCommands } from './doctor/commands.ts';
import { checkDaemon, type SocketPath } from './doctor/daemon.ts';
import { checkFolders } from './doctor/folders.ts';
import { checkLimits } from './doctor/limits.ts';
import { checkMachine } from './doctor/machine.ts';
import { checkSandbox } from './doctor/sandbox.ts';
import { readSurroundings } from './doctor/surroundings.ts';
import { checkVariables } from './doctor/variables.ts';
import { checkWatches } from './doctor/watches.ts';

export type { Check } from './doctor/check.ts';

export interface DoctorOptions {
  /** Absent when it could not be loaded: then only the machine is looked at. */
  readonly config?: Config;
  readonly configError?: unknown;
  readonly env: NodeJS.ProcessEnv;
  /** In the bare environment that a service has, not in this terminal's. */
  readonly asService: boolean;
  /** `socketPath` of `server/`, which this folder may not import. */
  readonly socketPath: SocketPath;
  /** Epoch milliseconds; default: now. */
  readonly now?: number;
}

export interface Diagnosis {
  readonly checks: readonly Check[];
}

/** Never throws: a check that can not be made is a finding. */
export async function doctor(options: DoctorOptions): Promise<Diagnosis> {
  const { config, configError, env, asService, socketPath, now = Date.now() } = options;
  const surroundings = readSurroundings({ env, asService, config });
  const groups: readonly (readonly [string, () => Check[] | Promise<Check[]>])[] = [
    ['machine', () => checkMachine(surroundings, now)],
    ['configuration', () => [checkConfiguration(config, configError)]],
    ['limits', () => checkLimits(config, surroundings)],
    ['sandbox', () => checkSandbox(config, surroundings)],
    ['native watch', () => checkWatches(config)],
    ...(config === undefined
      ? []
      : ([
          ['folders', () => checkFolders(config, now)],
          ['agents', () => checkCommands(config, surroundings)],
          ['agent CLIs', () => checkAgentClis(config, surroundings)],
          ['secrets', () => checkVariables(config, surroundings)],
          ['daemon', () => checkDaemon(config, surroundings, socketPath)],
        ] as const)),
  ];
  const checks: Check[] = [];
  for (const [name, check] of groups) {
    try {
      checks.push(...(await check()));
    } catch (error) {
      checks.push(
        fail(
          name,
          `could not be looked at: ${messageOf(error)}`,
          'Look at that message; run `sluice doctor` again when its cause is gone.',
        ),
      );
    }
  }
  return { checks };
}

function checkConfiguration(config: Config | undefined, error: unknown): Check {
  const name = 'configuration';
  if (config !== undefined) return good(name, config.file);
  if (error instanceof AppError) return fail(name, error.message, error.fix);
  return fail(name, error === undefined ? 'there is none here' : messageOf(error), 'sluice init');
}

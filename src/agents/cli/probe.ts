/**
 * Which program an agent CLI is on this machine, its version and the flags that its help names: asked of the program
 * itself once, remembered as long as its file is the same. Costs no money: nothing is sent to a model.
 */
import type { CliAgent } from '../../config/config.ts';
import { AppError } from '../../types/errors.ts';
import type { CliKind, CliVersion } from './kind.ts';

export interface FoundCli {
  /** Absolute path of the program, as found (links are not followed). */
  readonly file: string;
  readonly version: CliVersion;
}

export interface ProbeOptions {
  /** Environment that the programs are asked in; its PATH is where they are looked for. */
  readonly env: NodeJS.ProcessEnv;
  readonly projectDir: string;
}

export class CliProbe {
  readonly #options: ProbeOptions;

  constructor(options: ProbeOptions) {
    this.#options = options;
  }

  /**
   * @throws {AppError} `AGENT_UNAVAILABLE`: not installed, does not start, says no version, older than `minimumVersion`;
   * with the command that installs it as fix.
   */
  async find(kind: CliKind, agent: Pick<CliAgent, 'name' | 'env' | 'cli'>): Promise<FoundCli> {
    throw new AppError('AGENT_UNAVAILABLE', `${agent.name}: ${kind.title} in ${this.#options.projectDir}`, {
      fix: kind.install,
    });
  }
}

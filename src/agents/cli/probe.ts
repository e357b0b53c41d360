/**
 * Which program an agent CLI is on this machine, its version and the flags that its help names: asked of the program
 * itself once, remembered as long as its file is the same. Costs no money: nothing is sent to a model.
 */
import type { CliAgent } from '../../config/config.ts';
import type { KeptLedger } from '../../ledger/ledger.ts';
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
  /** Where answers survive a restart. Absent: they are asked for anew. */
  readonly kept?: Pick<KeptLedger, 'get' | 'put'>;
}

export class CliProbe implements Disposable {
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

  /** Ends the programs that are being asked; who waits is refused. */
  [Symbol.dispose](): void {}
}

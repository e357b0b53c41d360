/** Kinds `claude`, `codex`, `gemini` and their like: an agent CLI run headless, its stream read, its word checked. */
import type { AgentConfig } from '../../config/config.ts';
import type { AgentCall, AgentResult, AgentRunner } from '../../types/agent.ts';
import { AppError } from '../../types/errors.ts';
import type { JournalEntry } from '../spawner/spawner.ts';

export interface CliRunner extends Pick<AgentRunner, 'run'> {
  /** The result of an attempt that had ended before the daemon died. */
  recover(call: AgentCall, entry: JournalEntry): Promise<AgentResult>;
  /** Why the agent cannot be run now, if so. */
  available(agent: AgentConfig): Promise<AppError | undefined>;
}

export function createCliRunner(): CliRunner {
  const refuse = async (): Promise<never> => {
    throw new AppError('INTERNAL', 'agent CLIs are not wired up', { fix: 'Please report it.' });
  };
  return { run: refuse, recover: refuse, available: async () => undefined };
}

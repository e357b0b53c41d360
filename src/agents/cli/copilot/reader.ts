/** Reads the stream of `copilot --output-format json`. */
import type { AgentEvent } from '../../../types/agent.ts';
import type { CliReport } from '../../../types/agent-cli.ts';
import type { CliEnd, CliLine, CliReader } from '../kind.ts';

export class CopilotReader implements CliReader {
  hasEnded = false;

  line(_line: CliLine): readonly AgentEvent[] {
    return [];
  }

  end(_end: CliEnd): CliReport {
    return { terminal: 'none', faults: [], denials: [], text: '', costUsd: null };
  }
}

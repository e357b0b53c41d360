/** The prompt of a call as its agent gets it. */
import type { AgentCall } from '../types/agent.ts';
import { renderPrompt } from './placeholders.ts';

/** A step's prompt was filled in before it became a job. */
export function promptOf({ prompt, step, input, inputs }: AgentCall): string | undefined {
  if (prompt === undefined) return undefined;
  return step ? prompt : renderPrompt(prompt, input, inputs);
}

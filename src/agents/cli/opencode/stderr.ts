/** What stderr of opencode says where its stream says nothing: a flag, no model, a service it waited for until it was ended. */
import { stripVTControlCharacters } from 'node:util';
import type { CliFault } from '../../../types/agent-cli.ts';
import { type FaultPattern, findFault } from '../reading/faults.ts';
import { serviceFault } from '../reading/service-faults.ts';

const own: readonly FaultPattern[] = [
  {
    pattern: /^(?:error: )?Unknown arguments?: ([\w-]+)/im,
    class: 'flags',
    cure: (match) => ({ kind: 'without_flag', flag: `--${match[1]}` }),
  },
  {
    // It prints its help for a flag that it does not know, and does not say which.
    pattern: /^opencode run \[message\.\.\]$/m,
    class: 'flags',
    message: () => 'It printed its help: a flag is unknown to it, or one is missing',
  },
  {
    pattern: /ProviderModelNotFoundError|Model not found: \S+/,
    class: 'model',
    message: () => 'It knows no such model, or no such provider',
    fix: 'Name a model as `opencode models` prints it: `provider/model`.',
  },
  { pattern: /no (?:providers?|models?) (?:found|configured|available)/i, class: 'auth' },
  { pattern: /Session not found/i, class: 'setup' },
];

/** A line of its log: `level=ERROR … message="stream error" … error.error="AI_APICallError: Internal server error"`. */
const logged = /^timestamp=\S+ level=ERROR .*?error(?:\.error)?="((?:[^"\\]|\\.)*)"/gm;

/** @param isAlone The stream says nothing: what its log tells last is taken for the reason. */
export function stderrFaults(stderr: string, now: number, isAlone: boolean): readonly CliFault[] {
  const text = stripVTControlCharacters(stderr);
  const found = findFault(text, own, now);
  if (found) return [found];
  if (!isAlone) return [];
  const last = [...text.matchAll(logged)].at(-1)?.[1];
  return last === undefined ? [] : [serviceFault({ message: last.replace(/^AI_\w+: /, '') }, now)];
}

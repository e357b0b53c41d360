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
  { pattern: /ProviderModelNotFoundError|Model not found: (\S+)/, class: 'model' },
  { pattern: /no (?:providers?|models?) (?:found|configured|available)/i, class: 'auth' },
  { pattern: /Session not found/i, class: 'setup' },
];

/** A line of its log: `level=ERROR … message="stream error" … error.error="AI_APICallError: Internal server error"`. */
const logged = /^timestamp=\S+ level=ERROR .*?error(?:\.error)?="((?:[^"\\]|\\.)*)"/gm;

export function stderrFaults(stderr: string, now: number): readonly CliFault[] {
  const text = stripVTControlCharacters(stderr);
  const found = findFault(text, own, now);
  if (found) return [found];
  const last = [...text.matchAll(logged)].at(-1)?.[1];
  return last === undefined ? [] : [serviceFault({ message: last.replace(/^AI_\w+: /, '') }, now)];
}

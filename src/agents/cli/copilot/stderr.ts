/** What stderr of Copilot says where its stream says nothing. */
import { stripVTControlCharacters } from 'node:util';
import type { CliFault } from '../../../types/agent-cli.ts';
import { type FaultPattern, findFault } from '../reading/faults.ts';

const own: readonly FaultPattern[] = [
  {
    pattern: /unexpected argument '(--[\w-]+)' found|unknown option '(--[\w-]+)'/,
    class: 'flags',
    cure: (match) => ({ kind: 'without_flag', flag: (match[1] ?? match[2]) as string }),
  },
  { pattern: /invalid value '[^']*' for '[^']*'/, class: 'flags' },
  { pattern: /No authentication information found|not (?:logged in|authenticated)/i, class: 'auth' },
  {
    pattern: /GitHub token may be invalid|could not be validated[\s\S]{0,200}\((?:401|403)\)/,
    class: 'auth',
  },
  {
    pattern: /Authentication token found but could not be validated/,
    class: 'network',
    message: () => 'GitHub did not answer whether its token is valid',
  },
  {
    pattern: /Failed to load models/,
    class: 'server',
    message: () => 'It could not load the list of models',
  },
  { pattern: /requires? a (?:local )?model provider|COPILOT_PROVIDER_BASE_URL/i, class: 'auth' },
  { pattern: /model .{1,100} (?:is not available|not found|from --model)/i, class: 'model' },
  {
    pattern: /Failed to extract bundled package/,
    class: 'setup',
    message: () => 'It could not unpack itself',
    fix: 'Run `copilot --version` once as the user of the daemon.',
  },
  { pattern: /(?:no |not a )?session .{0,80}not found|No session/i, class: 'setup' },
];

export function stderrFaults(stderr: string, now: number): readonly CliFault[] {
  const found = findFault(stripVTControlCharacters(stderr), own, now);
  return found ? [found] : [];
}

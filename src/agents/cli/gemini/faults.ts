/** What Gemini CLI says when something failed, in the order in which it is looked for: the more telling before the vaguer. */
import type { CliFault, FaultClass } from '../../../types/agent-cli.ts';
import { oneLine } from '../reading/events.ts';
import { type FaultPattern, findFault } from '../reading/faults.ts';
import { comeBack } from '../reading/times.ts';

/** No cure: in a folder that it trusts it obeys what lies there. */
const untrusted =
  'Settings of this machine (/etc/gemini-cli/settings.json) force `security.folderTrust`: take that out, or, if what lies in its folders may decide what it does, write `env: {GEMINI_CLI_TRUST_WORKSPACE: "true"}` for the agent.';

const faultPatterns: readonly FaultPattern[] = [
  {
    pattern: /^(?:Cannot use both|Invalid values:|Not enough arguments|Invalid approval mode).*$/m,
    class: 'flags',
  },
  {
    pattern: /not running in a trusted directory/,
    class: 'setup',
    message: () => 'Gemini CLI does not trust the folder that it is to work in',
    fix: untrusted,
  },
  {
    pattern: /Error: Directory does not exist: (.+)$/m,
    class: 'setup',
    message: ([, dir = '']) => `The folder ${dir.trim()} does not exist`,
    fix: ([, dir = '']) => `Create it: mkdir -p ${JSON.stringify(dir.trim())}`,
  },
  {
    pattern: /No input provided via stdin/,
    class: 'server',
    message: () => 'Gemini CLI was given no prompt, or not within the half second that it waits for one',
    fix: 'Run it again, with fewer agents at once.',
  },
  {
    pattern: /stdin input truncated to \d+ bytes/,
    class: 'context',
    fix: 'Give it smaller inputs: it takes 8 MiB.',
  },
  { pattern: /Session ID "?[\w-]+"? already exists|Error resuming session/, class: 'setup' },
  {
    pattern: /FatalSandboxError|Sandbox image .{1,300} is missing/,
    class: 'setup',
    fix: 'Take GEMINI_SANDBOX out of the environment: Sluice confines it.',
  },
  { pattern: /disableYolo|secureModeEnabled|YOLO mode is disabled/i, class: 'setup' },
  {
    pattern:
      /API_KEY_INVALID|API key not valid|Invalid auth method selected|must specify the GEMINI_API_KEY|Please set an Auth method|When using Vertex AI, you must|API[ _]key (?:expired|not found)|The enforced authentication type|UNAUTHENTICATED|(?:"code": ?|status:? )401\b|invalid_grant|could not be refreshed|Authentication consent could not|Manual authorization is required|Could not load the default credentials/i,
    class: 'auth',
  },
  {
    pattern:
      /exhausted your (?:daily )?(?:quota|capacity)|TerminalQuotaError|quota will reset|PerDay|daily (?:limit|quota)|insufficient (?:credits?|funds)|BILLING_DISABLED|billing (?:account|is disabled|has not been enabled)|prepayment credits/i,
    class: 'quota',
  },
  { pattern: /PERMISSION_DENIED|(?:"code": ?|status:? )403\b|API Error: Permission denied/, class: 'auth' },
  {
    pattern: /ModelNotFoundError|API Error: Model not found|models\/[\w.-]+ is not found/i,
    class: 'model',
    fix: 'Give the agent another `model`.',
  },
  { pattern: /exceeds the maximum number of tokens allowed|token count .{0,40} exceeds/i, class: 'context' },
  {
    pattern: /blocked due to (?:safety|recitation|other)|SAFETY_BLOCKED|PROHIBITED_CONTENT/i,
    class: 'refused',
  },
  { pattern: /truncated because it exceeded the token limit|MAX_TOKENS_EXCEEDED/, class: 'output_limit' },
  {
    pattern: /FatalTurnLimitedError|Reached max session turns|Maximum session turns exceeded/,
    class: 'limits',
    message: () => 'It used up its turns',
    fix: 'Raise `max_turns` of the agent, or give it less to do at once.',
  },
  { pattern: /overloaded|high demand|MODEL_CAPACITY_EXHAUSTED|No capacity available/i, class: 'overloaded' },
  {
    pattern:
      /Suggested retry after|exceeded your current quota|RESOURCE_EXHAUSTED|RetryableQuotaError|rate limit|(?:"code": ?|status:? )429\b/i,
    class: 'rate',
  },
  {
    pattern:
      /fetch failed|ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|UND_ERR_|socket hang up|network error|ERR_SSL/i,
    class: 'network',
  },
  {
    pattern:
      /(?:"code": ?|status:? )5\d\d\b|API Error: (?:Service unavailable|Internal)|Model stream ended|empty response|no final response text|malformed (?:tool|function) call|Invalid stream/i,
    class: 'server',
  },
  { pattern: /no[_ ]space[_ ]left|ENOSPC/i, class: 'setup', fix: 'Make room on the disk.' },
  {
    pattern: /(?:"code": ?|status:? )4\d\d\b/,
    class: 'setup',
    fix: 'Look into its stream: the service refused the request.',
  },
];

/** Flags that this version does not know, each as a fault with its cure: all of them are left out at once. */
export function unknownFlags(stderr: string): readonly CliFault[] {
  const [, names] = /^Unknown arguments?: *(.+)$/m.exec(stderr) ?? [];
  if (names === undefined) return [];
  return names
    .split(',')
    .map((name) => name.trim())
    .filter((name) => /^[a-z][a-z-]*$/.test(name)) // Not its other spelling, `skipTrust`.
    .map((name) => (name.length > 1 ? `--${name}` : `-${name}`))
    .map((flag) => ({
      class: 'flags',
      message: `Gemini CLI does not know the flag ${flag}`,
      cure: { kind: 'without_flag', flag },
      fix: 'Update Gemini CLI: npm install -g @google/gemini-cli',
    }));
}

/** What an exit status says where nothing else does. One of an API error is its HTTP status modulo 256. */
const byStatus: Readonly<Record<number, readonly [FaultClass, string]>> = {
  41: ['auth', 'Gemini CLI could not log in'],
  42: ['setup', 'Gemini CLI refused its input'],
  44: ['setup', 'Gemini CLI could not start its own sandbox'],
  52: ['setup', 'Gemini CLI refused its settings'],
  53: ['limits', 'It used up its turns'],
  54: ['setup', 'A tool of Gemini CLI failed in a way that ends it'],
  55: ['setup', 'Gemini CLI does not trust the folder that it is to work in'],
  ...Object.fromEntries(
    (
      [
        [400, 'setup'],
        [401, 'auth'],
        [403, 'auth'],
        [404, 'model'],
        [429, 'rate'],
        [500, 'server'],
        [502, 'server'],
        [503, 'overloaded'],
        [504, 'server'],
        [529, 'overloaded'],
      ] as const
    ).map(([http, kind]) => [http % 256, [kind, `The service answered with HTTP status ${http}`]]),
  ),
};

/** What the service said, out of the brackets and the JSON that the CLI puts around it. */
export function plainly(message: string): string {
  const [, body = message] = /^\[API Error: ([\s\S]*?)\](?:\n|$)/.exec(message) ?? [];
  if (!body.startsWith('{')) return oneLine(body);
  try {
    const { error } = JSON.parse(body) as { error?: { message?: unknown } };
    if (typeof error?.message === 'string') return oneLine(error.message);
  } catch {
    // Then as it is.
  }
  return oneLine(body);
}

export function faultOf(message: string, now: number): CliFault | undefined {
  const found = findFault(message, faultPatterns, now);
  const fault = found?.message.startsWith('[API Error: ') ? { ...found, message: plainly(message) } : found;
  const isTimed = fault?.until !== undefined || fault?.retryAfterMs !== undefined;
  if (fault?.class !== 'quota' || isTimed || !/daily|PerDay/.test(message)) return fault;
  // Days of Google's quotas end at midnight in California; the message does not say so.
  return { ...fault, ...comeBack('resets at 12am (America/Los_Angeles)', now) };
}

export function faultOfStatus(exitCode: number | undefined): CliFault | undefined {
  const [kind, message] = byStatus[exitCode ?? 0] ?? [];
  if (kind === undefined || message === undefined) return undefined;
  return {
    ...{ class: kind, message },
    ...(exitCode === 55 && { fix: untrusted }),
  };
}

/** Without what came from its tools: their errors may quote anything. */
export function ownStderr(stderr: string): string {
  return stderr
    .split('\n')
    .filter((line) => !/^Error executing tool /.test(line))
    .join('\n');
}

/**
 * What messages of Codex CLI mean. They are the texts of its own errors, those of OpenAI's service, which it passes on
 * (`unexpected status 403 Forbidden: …, url: …`), and what it says when it does not start.
 */
import type { FaultPattern } from '../reading/faults.ts';
import { neededFlags } from './launch.ts';
import { handOver } from './login.ts';

const pay =
  'Wait until the limit resets, or buy credits; https://chatgpt.com/codex/settings/usage shows what is left.';

/** The first that matches counts. */
export const codexFaults: readonly FaultPattern[] = [
  {
    pattern: /Not inside a trusted directory and --skip-git-repo-check was not specified/,
    class: 'setup',
    fix: 'Run `git init` in the folder that it works in; or let it be started with --skip-git-repo-check.',
    cure: () => ({ kind: 'skip_git_check' }),
  },
  {
    pattern: /^error: unexpected argument '([^' ]{1,100})(?:'| [^']*') found/m,
    class: 'flags',
    fix: ([, flag]) => `This version of Codex CLI does not know ${flag}: install another one.`,
    cure: ([, flag = '']) => (neededFlags.has(flag) ? undefined : { kind: 'without_flag', flag }),
  },
  {
    pattern:
      /^error: (?:invalid value|the argument|a value is required|unrecognized subcommand|the following required).*/m,
    class: 'flags',
  },
  { pattern: /Unknown feature flag: (\S+)/, class: 'flags' },
  {
    pattern: /Error loading config(?:uration|\.toml)?[^\n]*(?:\n[^\n]+)?/i,
    class: 'setup',
    message: ([whole]) =>
      whole
        .split('\n', 2)
        .map((line) => line.trim())
        .join(' '),
    fix: 'Correct config.toml in the folder of Codex (~/.codex).',
  },
  {
    pattern: /no rollout found for thread id (\S+)/,
    class: 'setup',
    fix: 'That session is gone: begin a new one.',
  },
  { pattern: /Output schema file \S+ is not valid JSON|Failed to read output schema file/, class: 'setup' },
  {
    pattern: /Invalid schema for response_format|invalid_json_schema/,
    class: 'setup',
    fix: 'OpenAI takes only part of JSON Schema: make the schema that is expected simpler.',
  },
  {
    pattern: /requires a newer version of Codex/,
    class: 'setup',
    fix: 'Run `npm install -g @openai/codex`.',
  },
  {
    pattern: /Access blocked by Cloudflare/,
    class: 'setup',
    fix: 'OpenAI refuses connections from this network or region.',
  },

  {
    pattern: /Missing environment variable: `(\w+)`/,
    class: 'auth',
    fix: ([, name = '']) => handOver(name),
  },
  {
    pattern:
      /unexpected status 40[13]\b|last status: 40[13]\b|\b401 Unauthorized|Incorrect API key|invalid_api_key/,
    class: 'auth',
  },
  {
    pattern:
      /(?:access|refresh) token (?:could not be|has (?:already )?(?:expired|been)|was (?:already )?(?:used|revoked|invalidated))|[Pp]lease (?:log|sign) ?(?:out and (?:log|sign) ?)?in again|token_(?:expired|invalidated|revoked)|[Nn]ot logged in/,
    class: 'auth',
  },
  {
    pattern: /To use Codex with your ChatGPT plan, upgrade/,
    class: 'auth',
    fix: 'The plan of this account does not include Codex: upgrade it, or set CODEX_API_KEY.',
  },

  {
    pattern:
      /hit your usage limit|usage_?limit_?reached|usage limit has been reached|Quota exceeded|insufficient_quota|exceeded your current quota|out of credits|hit your spend cap|billing_hard_limit/i,
    class: 'quota',
    fix: pay,
  },

  {
    pattern: /The model `([^`]+)` does not exist or you do not have access/,
    class: 'model',
    fix: ([, model]) => `Set \`model\` of the agent to one that this account has; "${model}" is none.`,
  },
  {
    pattern: /model_not_found|[Tt]he '[^']+' model is not supported|is not supported when using Codex with/,
    class: 'model',
    fix: 'Set `model` of the agent to one that this account has.',
  },

  {
    pattern:
      /ran out of room in the model's context window|context_length_exceeded|exceeds the context window|[Ii]nput exceeds the maximum length/,
    class: 'context',
  },
  { pattern: /Incomplete response returned, reason: max_output_tokens/, class: 'output_limit' },
  {
    pattern:
      /reason: content_filter|invalid_prompt|content_policy_violation|cyber_policy|(?:flagged|rejected|blocked)\b.{0,80}\b(?:safety|polic(?:y|ies))|violat\w{1,6} (?:our|the|openai's) (?:usage )?polic/i,
    class: 'refused',
  },

  {
    pattern:
      /last status: 429\b|unexpected status 429\b|Rate limit reached|rate_limit_exceeded|Too Many Requests/i,
    class: 'rate',
  },
  {
    pattern:
      /at capacity|capacity is unavailable|server_is_overloaded|slow_down|(?:unexpected|last) status:? 529\b|\boverloaded\b/i,
    class: 'overloaded',
  },
  {
    pattern: /(?:unexpected|last) status:? 5\d\d\b|experiencing high demand|server_error|internal error\b/i,
    class: 'server',
  },
  {
    pattern:
      /stream disconnected before completion|Connection failed|error sending request|request timed out|waiting for network|failed to lookup address|connection (?:refused|reset|closed)|Error while reading the server response/i,
    class: 'network',
  },
  // The request itself is at fault: once more would end the same.
  { pattern: /(?:unexpected|last) status:? 4\d\d\b|invalid_request_error/, class: 'setup' },
];

/** Of an exit before anything was done: it said why, in words that are none of the above. */
export const notStarted: readonly FaultPattern[] = [
  { pattern: /^(?:Error|error|fatal|thread '.*' panicked at)\b[: ].*/m, class: 'setup' },
];

/** The service failed in a way that nobody has described yet. */
export const anyFailure: readonly FaultPattern[] = [{ pattern: /\S/, class: 'server' }];

/**
 * How Claude Code is started: headless, its prompt by stdin, its events as JSON lines.
 *
 * What it finds in the folders that it works in is material, not instruction: `CLAUDE.md` files, project settings with
 * their hooks and permissions, skills, commands, agents and MCP servers are switched off by several means at once, each of
 * which an update may change. `--bare` does that too, but leaves only three tools and reads no log-in of a subscription.
 */
import type { Access } from '../../../types/agent-cli.ts';
import type { Launch, LaunchRequest } from '../kind.ts';
import { draft7Schema } from './draft7-schema.ts';
import { toolOf } from './tools.ts';

/** A flag with its values. */
type Words = readonly [string, ...string[]];

/** One argument of a command line may have 128 KiB. */
const maxArgument = 120_000;

const modes: Readonly<Record<Exclude<Access, 'all'>, string>> = { read: 'default', edit: 'acceptEdits' };

export function claudeLaunch(request: LaunchRequest): Launch {
  const { withoutFlags } = request;
  const words = [...needed(request), ...optional(request)].filter(([flag]) => !withoutFlags.includes(flag));
  return {
    args: words.flat(),
    env: environment(request),
    files: [],
    stdin: plain(request.prompt),
  };
}

/** Left out when a version turns out not to know them: the work can be done without. */
export const dispensableFlags: ReadonlySet<string> = new Set([
  '--include-partial-messages',
  '--disable-slash-commands',
  '--effort',
  '--max-budget-usd',
  '--max-turns',
  '--json-schema',
]);

/** Known to every version that is accepted. */
function needed(request: LaunchRequest): Words[] {
  const { access, directories, model, tools } = request;
  return [
    ['-p'],
    ['--output-format', 'stream-json'],
    ['--verbose'],
    ['--strict-mcp-config'],
    ['--setting-sources', 'user'],
    ['--settings', JSON.stringify(settings(request))],
    ['--session-id', request.sessionId],
    access === 'all' ? ['--dangerously-skip-permissions'] : ['--permission-mode', modes[access]],
    ...given(model, (name) => ['--model', name]),
    // These take all words up to the next flag.
    ...(tools.length === 0 ? [] : [['--allowedTools', ...tools] as Words]),
    ...(directories.length === 0 ? [] : [['--add-dir', ...directories] as Words]),
  ];
}

/** Left out where the help of this version does not name them; `--max-turns` no help names. */
function optional(request: LaunchRequest): Words[] {
  const { effort, maxTurns, maxUsd, schema, version } = request;
  const draft7 = schema && draft7Schema(schema.schema);
  const shape = draft7 === undefined ? '' : JSON.stringify(draft7);
  const words: Words[] = [
    ['--include-partial-messages'],
    ['--disable-slash-commands'],
    ...given(effort, (level) => ['--effort', level]),
    ...given(maxUsd, (usd) => ['--max-budget-usd', money(usd)]),
    // Too long for one argument: the answer is checked against it all the same.
    ...(shape === '' || Buffer.byteLength(shape) > maxArgument ? [] : [['--json-schema', shape] as Words]),
  ];
  return [
    ...given(maxTurns, (turns) => ['--max-turns', String(turns)]),
    ...words.filter(([flag]) => version.flags?.has(flag) ?? true),
  ];
}

function given<T>(value: T | undefined, words: (value: T) => Words): Words[] {
  return value === undefined ? [] : [words(value)];
}

/** Never `1e-7`, and never 0, which it refuses. */
function money(usd: number): string {
  return Math.max(usd, 0.000_001)
    .toFixed(6)
    .replace(/\.?0+$/, '');
}

/** A prompt that begins with `/` would be taken for a command of its own, which ends as a success without a model. */
function plain(prompt: string): string {
  return prompt.startsWith('/') ? `\n${prompt}` : prompt;
}

/** On top of the user's own settings, which may say how it logs in. */
function settings({ access, tools, isConfined }: LaunchRequest): object {
  const isWanted = (tool: string): boolean => tools.some((one) => toolOf(one) === tool);
  return {
    disableAllHooks: true,
    permissions: {
      // The user's settings may allow them for good: here no more is allowed than was asked for.
      ask: access === 'read' ? writers.filter((tool) => !isWanted(tool)) : [],
      deny: unattended.filter((tool) => !isWanted(tool)),
    },
    sandbox: isConfined ? { enabled: false } : { autoAllowBashIfSandboxed: false },
  };
}

const writers = ['Edit', 'Write', 'NotebookEdit'];

/** Need somebody who answers, outlive the result, or work in another tree than the one that is looked at. */
const unattended = [
  ...['AskUserQuestion', 'EnterPlanMode', 'ExitPlanMode'],
  ...['Monitor', 'ScheduleWakeup', 'EnterWorktree', 'ExitWorktree'],
];

function environment({ access, env, isConfined, isRoot }: LaunchRequest): Record<string, string> {
  return {
    CLAUDE_CODE_SAFE_MODE: '1',
    CLAUDE_CODE_DISABLE_CLAUDE_MDS: '1',
    CLAUDE_CODE_DISABLE_AUTO_MEMORY: '1',
    // `@file` in material is no wish to read that file.
    CLAUDE_CODE_DISABLE_FILE_MENTIONS: '1',
    CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1',
    CLAUDE_CODE_DISABLE_CRON: '1',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_TELEMETRY: '1',
    DISABLE_ERROR_REPORTING: '1',
    DISABLE_AUTOUPDATER: '1',
    // Its own ten take three minutes, also for a wrong key; none would throw long work away for a short fault.
    ...(env.CLAUDE_CODE_MAX_RETRIES === undefined && { CLAUDE_CODE_MAX_RETRIES: '6' }),
    // As root it runs without permissions only where it is told that this is a sandbox: then it is one.
    ...(access === 'all' && isRoot && isConfined && { IS_SANDBOX: '1' }),
  };
}

/**
 * Agent CLIs that do what a test tells them: programs of their own that speak as the real ones do. What they cannot show is
 * how the real ones behave; that is for `npm run test:clis`.
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { recording } from '../recorded.ts';

export type FakeKind = 'claude' | 'codex' | 'gemini' | 'copilot';

/** Texts may hold `${NAME}` of its environment. */
export type Step =
  | { readonly out: string }
  | { readonly err: string }
  | { readonly many: { readonly text: string; readonly times: number } }
  /** One long text, so many `x` in it. */
  | { readonly long: { readonly before: string; readonly bytes: number; readonly after: string } }
  /** In hexadecimal. */
  | { readonly bytes: string }
  /** What came of it stands in `looks`. */
  | { readonly write: { readonly file: string; readonly text: string } }
  /** Its input becomes this. */
  | { readonly edit: string }
  | { readonly look: string }
  | { readonly run: readonly string[] }
  | { readonly fork: true }
  | { readonly ask: string }
  /** Waits for a file. */
  | { readonly until: string }
  | { readonly sleep: number }
  | { readonly deaf: true }
  | { readonly hang: true }
  | { readonly exit: number }
  | { readonly kill: string };

export interface Play {
  /** The first play that fits is played. */
  readonly when?: {
    readonly args?: readonly string[];
    readonly notArgs?: readonly string[];
    /** Stands in its prompt. */
    readonly prompt?: string;
    /** Which start of the program it is, from 1. */
    readonly nth?: number;
    /** This file is not there. */
    readonly absent?: string;
  };
  readonly steps: readonly Step[];
}

export interface Script {
  readonly version?: string;
  /** Lines of its help; null: it has none. */
  readonly help?: readonly string[] | null;
  /** Flags that it does not know, whatever its help says. */
  readonly refuses?: readonly string[];
  readonly plays: readonly Play[];
}

/** What one start of it saw. */
export interface Seen {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly pid: number;
  readonly stdin: string;
  readonly looks?: Readonly<Record<string, unknown>>;
}

export interface Fake {
  /** Absolute. */
  readonly file: string;
  /** What it does from now on. */
  play(...plays: readonly (Play | readonly Step[])[]): void;
  script(script: Script): void;
  /** Its starts so far, in order. Where its sandbox does not let it write to its folder there are none. */
  seen(): readonly Seen[];
}

/** Puts one into `dir`, under its name. */
export function installFake(
  dir: string,
  kind: FakeKind,
  ...plays: readonly (Play | readonly Step[])[]
): Fake {
  mkdirSync(join(dir, 'seen'), { recursive: true });
  copyFileSync(join(import.meta.dirname, 'player.mjs'), join(dir, 'player.mjs'));
  const file = join(dir, kind);
  copyFileSync(join(import.meta.dirname, `${kind}.mjs`), file);
  chmodSync(file, 0o755);
  const script = (one: Script): void => writeFileSync(`${file}.json`, JSON.stringify(one));
  const fake: Fake = {
    file,
    script,
    play: (...these) => script({ plays: these.map((one) => ('steps' in one ? one : { steps: one })) }),
    seen: () => {
      const folder = join(dir, 'seen', kind);
      if (!existsSync(folder)) return [];
      return readdirSync(folder)
        .filter((name) => name.endsWith('.json'))
        .toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
        .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Seen);
    },
  };
  fake.play(...plays);
  return fake;
}

/** What the real one once did. */
export function recorded(kind: FakeKind, name: string): readonly Step[] {
  const { stdout, stderr, exitCode = 0 } = recording(kind, name);
  return [
    ...(stdout === '' ? [] : [{ out: stdout }]),
    ...(stderr === '' ? [] : [{ err: stderr }]),
    { exit: exitCode },
  ];
}

/** Lines of their streams. */
export interface Voice {
  readonly began: string;
  said(text: string): string;
  /** A call of the shell that went well. */
  ran(command: string): string;
  /** The terminal event of a success; Claude Code's repeats the answer. */
  done(answer: string): string;
  failed(message: string): string;
}

const line = (value: object): string => `${JSON.stringify(value)}\n`;
const time = '2026-11-20T08:52:01.182Z';
const session = '38857add-d53d-4867-9f53-176cfc69d4e4';
const gemini = (type: string, fields: object): string => line({ type, timestamp: time, ...fields });
const stats = {
  ...{ total_tokens: 1234, input_tokens: 1200, output_tokens: 34, cached: 200, input: 1000 },
  ...{ duration_ms: 5, tool_calls: 0, models: {} },
};

export const voices: Readonly<Record<FakeKind, Voice>> = {
  codex: {
    began: line({ type: 'thread.started', thread_id: session }) + line({ type: 'turn.started' }),
    said: (text) => line({ type: 'item.completed', item: { id: 'item_0', type: 'agent_message', text } }),
    ran: (command) =>
      ['started', 'completed']
        .map((what) =>
          line({
            type: `item.${what}`,
            item: {
              ...{ id: 'item_1', type: 'command_execution', command, aggregated_output: '' },
              ...(what === 'started'
                ? { exit_code: null, status: 'in_progress' }
                : { exit_code: 0, status: 'completed' }),
            },
          }),
        )
        .join(''),
    done: () =>
      line({
        type: 'turn.completed',
        usage: { input_tokens: 1200, cached_input_tokens: 200, output_tokens: 34 },
      }),
    failed: (message) => line({ type: 'error', message }) + line({ type: 'turn.failed', error: { message } }),
  },
  gemini: {
    began: gemini('init', { session_id: session, model: 'gemini-2.5-flash' }),
    said: (content) => gemini('message', { role: 'assistant', content, delta: true }),
    ran: (command) =>
      gemini('tool_use', { tool_name: 'run_shell_command', tool_id: 't1', parameters: { command } }) +
      gemini('tool_result', { tool_id: 't1', status: 'success', output: '' }),
    done: () => gemini('result', { status: 'success', stats }),
    failed: (message) => gemini('result', { status: 'error', error: { type: 'unknown', message }, stats }),
  },
  copilot: {
    began: line({ type: 'session.tools_updated', data: { model: 'gpt-4.1' } }),
    said: (content) => line({ type: 'assistant.message', data: { content, model: 'gpt-4.1' } }),
    ran: (command) =>
      line({
        type: 'tool.execution_start',
        data: { toolCallId: 't1', toolName: 'bash', arguments: { command } },
      }) + line({ type: 'tool.execution_complete', data: { toolCallId: 't1', success: true } }),
    done: () => line({ type: 'result', sessionId: session, exitCode: 0 }),
    failed: (message) =>
      line({ type: 'session.error', data: { message } }) +
      line({ type: 'result', sessionId: session, exitCode: 1 }),
  },
  claude: {
    began: line({
      ...{ type: 'system', subtype: 'init', cwd: '/', session_id: session, tools: ['Bash', 'Read'] },
      ...{ mcp_servers: [], model: 'claude-opus-5-5', permissionMode: 'default' },
    }),
    said: (text) => claudeMessage([{ type: 'text', text }]),
    ran: (command) =>
      claudeMessage([{ type: 'tool_use', id: 'toolu_1', name: 'Bash', input: { command } }]) +
      line({
        type: 'user',
        message: {
          role: 'user',
          content: [{ tool_use_id: 'toolu_1', type: 'tool_result', content: '', is_error: false }],
        },
        session_id: session,
      }),
    done: (result) => claudeResult({ is_error: false, result }),
    failed: (message) => claudeResult({ is_error: true, result: message, terminal_reason: 'api_error' }),
  },
};

function claudeMessage(content: readonly object[]): string {
  return line({
    type: 'assistant',
    message: {
      ...{ id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-opus-5-5', content },
      ...{ stop_reason: null, usage: { input_tokens: 1000, cache_read_input_tokens: 200, output_tokens: 1 } },
    },
    session_id: session,
  });
}

function claudeResult(fields: object): string {
  return line({
    ...{ type: 'result', subtype: 'success', duration_ms: 5, num_turns: 1, session_id: session },
    ...{ total_cost_usd: 0.00472, permission_denials: [], terminal_reason: 'completed' },
    usage: { input_tokens: 1000, cache_read_input_tokens: 200, output_tokens: 34 },
    modelUsage: {
      'claude-opus-5-5': {
        ...{ inputTokens: 1000, outputTokens: 34, cacheReadInputTokens: 200, cacheCreationInputTokens: 0 },
        costUSD: 0.00472,
      },
    },
    ...fields,
  });
}

/** It begins, says this, and succeeds. */
export function answers(kind: FakeKind, text = 'All is well.'): readonly Step[] {
  const { began, said, done } = voices[kind];
  return [{ out: began + said(text) + done(text) }];
}

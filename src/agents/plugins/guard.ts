/**
 * A plugin's kind, as the rest of the program may use it: whatever it throws or gives instead of what it should, an attempt
 * fails with a reason, and nothing else. It is not kept from doing harm on purpose: it is code of the daemon's process.
 */
import type { AgentEvent } from '../../types/agent.ts';
import type { CliReport } from '../../types/agent-cli.ts';
import { AppError, messageOf } from '../../types/errors.ts';
import type {
  CliEnd,
  CliKind,
  CliLine,
  CliReader,
  Launch,
  LaunchRequest,
  LoginQuestion,
  LoginState,
} from '../cli/kind.ts';
import { isTexts } from '../cli/reading/values.ts';
import { cleanEvents, cleanReport } from './clean.ts';
import { launchProblem } from './launch-problem.ts';
import type { LoadedKind, PluginOrigin } from './plugins.ts';

const loginTimeoutMs = 5_000;

/** @param kind Of the right shape (`shape.ts`). Its fields are read once, here. */
export function guardKind(kind: CliKind, plugin: PluginOrigin): LoadedKind {
  const { name, title, programs, install, login, capabilities, minimumVersion } = kind;
  const { versionArgs, helpArgs, environment, home } = kind;
  return Object.freeze({
    ...{ name, title, install, login, minimumVersion, plugin },
    ...{ programs: [...programs], capabilities: [...capabilities], environment: [...environment] },
    ...{ versionArgs: [...versionArgs], helpArgs: [...helpArgs], home: [...home] },
    loginState: (question: LoginQuestion) => loginState(kind, question),
    ...(kind.keyVariables && {
      keyVariables: (question: LoginQuestion) => keyVariables(kind, question),
    }),
    ...(kind.loginVariables && {
      loginVariables: (question: LoginQuestion) => loginVariables(kind, question),
    }),
    launch: (request: LaunchRequest) => launch(kind, plugin, request),
    read: () => new GuardedReader(kind, plugin),
    resume: (sessionId: string, cwd: string) => {
      try {
        const line: unknown = letGo(kind.resume(sessionId, cwd));
        return typeof line === 'string' && line !== '' ? line : undefined;
      } catch {
        return undefined;
      }
    },
  });
}

async function loginState(kind: CliKind, question: LoginQuestion): Promise<LoginState> {
  try {
    const late: LoginState = { state: 'unknown', detail: 'the plugin does not answer' };
    const { state, detail, method, fix } = await inTime(kind.loginState(question), late);
    return {
      state: state === 'logged_in' || state === 'logged_out' ? state : 'unknown',
      detail: typeof detail === 'string' ? detail : '',
      ...(typeof method === 'string' && { method }),
      ...(typeof fix === 'string' && { fix }),
    };
  } catch (error) {
    return { state: 'unknown', detail: `the plugin failed: ${messageOf(error)}` };
  }
}

async function keyVariables(kind: CliKind, question: LoginQuestion): Promise<readonly string[]> {
  try {
    const given: unknown = await inTime(kind.keyVariables?.(question), []);
    return isTexts(given) ? given : [];
  } catch {
    return [];
  }
}

/** Without them it is not logged in, and says so itself. */
async function loginVariables(
  kind: CliKind,
  question: LoginQuestion,
): Promise<Readonly<Record<string, string>>> {
  try {
    const given = await inTime(kind.loginVariables?.(question), {});
    const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0');
    return Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => isText(value)));
  } catch {
    return {};
  }
}

/** Late, an answer is nobody's. */
async function inTime<T>(asked: T | Promise<T>, late: T): Promise<T> {
  const end = Promise.withResolvers<T>();
  const timer = setTimeout(() => end.resolve(late), loginTimeoutMs);
  const answer = Promise.resolve(asked);
  answer.catch(() => {});
  try {
    return await Promise.race([answer, end.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function launch(kind: CliKind, plugin: PluginOrigin, request: LaunchRequest): Launch {
  let given: unknown;
  try {
    given = letGo(kind.launch(request));
  } catch (error) {
    throw failed(plugin, `failed at a launch: ${messageOf(error)}`, error);
  }
  const problem = launchProblem(given, request.workDir);
  if (problem !== undefined) throw failed(plugin, `gave a launch that cannot be used: ${problem}`);
  return given as Launch;
}

class GuardedReader implements CliReader {
  readonly #plugin: PluginOrigin;
  #reader: CliReader | undefined;
  #failure: string | undefined;
  #hasEnded = false;
  #isHopeless = false;

  constructor(kind: CliKind, plugin: PluginOrigin) {
    this.#plugin = plugin;
    this.#try('cannot begin to read', () => {
      this.#reader = letGo(kind.read());
    });
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get isHopeless(): boolean {
    return this.#isHopeless;
  }

  line(line: CliLine): readonly AgentEvent[] {
    return (
      this.#try('failed while it read', () => {
        const events = cleanEvents(letGo(this.#reader?.line(line)));
        this.#hasEnded = this.#reader?.hasEnded === true;
        this.#isHopeless = this.#reader?.isHopeless === true;
        return events;
      }) ?? []
    );
  }

  end(end: CliEnd): CliReport {
    const report = this.#try('failed at the end of its reading', () =>
      cleanReport(letGo(this.#reader?.end(end))),
    );
    if (report !== undefined) return report;
    const { message, fix } = failed(this.#plugin, this.#failure ?? 'failed');
    return {
      terminal: 'failure',
      faults: [{ class: 'setup', message, fix }],
      ...{ denials: [], text: '', costUsd: null },
    };
  }

  /** After the first failure it is not asked again: what it would say is worth nothing. */
  #try<T>(what: string, work: () => T): T | undefined {
    if (this.#failure !== undefined) return undefined;
    try {
      return work();
    } catch (error) {
      this.#failure = `${what}: ${messageOf(error)}`;
      return undefined;
    }
  }
}

/**
 * Where a plugin gives a promise, or a list of them, nobody waits: the check that follows refuses it. Rejected later, it would
 * end the daemon.
 */
function letGo<T>(given: T): T {
  const all: readonly unknown[] = Array.isArray(given) ? given : [given];
  for (const one of all) if (one instanceof Promise) one.catch(() => {});
  return given;
}

function failed(plugin: PluginOrigin, what: string, cause?: unknown): AppError {
  return new AppError('PLUGIN_INVALID', `The plugin "${plugin.package}" ${plugin.version} ${what}`, {
    cause,
    fix: 'Update the package, or tell its author; `sluice/plugin/contract` has the tests that it should pass.',
  });
}

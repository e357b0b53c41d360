/**
 * A plugin's kind, as the rest of the program may use it: whatever it throws or gives instead of what it should, an attempt
 * fails with a reason, and nothing else. It is not kept from doing harm on purpose: it is code of the daemon's process.
 */
import type { AgentEvent } from '../../types/agent.ts';
import type { CliReport } from '../../types/agent-cli.ts';
import { AppError, messageOf } from '../../types/errors.ts';
import type { CliEnd, CliKind, CliLine, CliReader, Launch, LaunchRequest, LoginState } from '../cli/kind.ts';
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
    loginState: (question: Parameters<CliKind['loginState']>[0]) => loginState(kind, question),
    launch: (request: LaunchRequest) => launch(kind, plugin, request),
    read: () => new GuardedReader(kind, plugin),
    resume: (sessionId: string, cwd: string) => {
      try {
        const line: unknown = kind.resume(sessionId, cwd);
        return typeof line === 'string' && line !== '' ? line : undefined;
      } catch {
        return undefined;
      }
    },
  });
}

async function loginState(
  kind: CliKind,
  question: Parameters<CliKind['loginState']>[0],
): Promise<LoginState> {
  const late = Promise.withResolvers<LoginState>();
  const timer = setTimeout(
    () => late.resolve({ state: 'unknown', detail: 'the plugin does not answer' }),
    loginTimeoutMs,
  );
  try {
    const asked = Promise.resolve(kind.loginState(question));
    // Late, it is nobody's.
    asked.catch(() => {});
    const { state, detail, method } = await Promise.race([asked, late.promise]);
    return {
      state: state === 'logged_in' || state === 'logged_out' ? state : 'unknown',
      detail: typeof detail === 'string' ? detail : '',
      ...(typeof method === 'string' && { method }),
    };
  } catch (error) {
    return { state: 'unknown', detail: `the plugin failed: ${messageOf(error)}` };
  } finally {
    clearTimeout(timer);
  }
}

function launch(kind: CliKind, plugin: PluginOrigin, request: LaunchRequest): Launch {
  let given: unknown;
  try {
    given = kind.launch(request);
  } catch (error) {
    throw failed(plugin, `failed at a launch: ${messageOf(error)}`, error);
  }
  const problem = launchProblem(given, request.workDir);
  if (problem !== undefined) {
    // A promise that nobody waits for must not end the process.
    if (given instanceof Promise) given.catch(() => {});
    throw failed(plugin, `gave a launch that cannot be used: ${problem}`);
  }
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
      this.#reader = kind.read();
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
        const events = cleanEvents(this.#reader?.line(line));
        this.#hasEnded = this.#reader?.hasEnded === true;
        this.#isHopeless = this.#reader?.isHopeless === true;
        return events;
      }) ?? []
    );
  }

  end(end: CliEnd): CliReport {
    const report = this.#try('failed at the end of its reading', () => cleanReport(this.#reader?.end(end)));
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

function failed(plugin: PluginOrigin, what: string, cause?: unknown): AppError {
  return new AppError('PLUGIN_INVALID', `The plugin "${plugin.package}" ${plugin.version} ${what}`, {
    cause,
    fix: 'Update the package, or tell its author; `sluice/plugin/contract` has the tests that it should pass.',
  });
}

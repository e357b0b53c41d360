/**
 * A plugin's kind, as the rest of the program may use it: whatever it throws or gives instead of what it should, an attempt
 * fails with a reason, and nothing else. It is not kept from doing harm on purpose: it is code of the daemon's process.
 */
import { dirname, isAbsolute, relative } from 'node:path';
import type { AgentEvent } from '../../types/agent.ts';
import type { CliReport } from '../../types/agent-cli.ts';
import { AppError, messageOf } from '../../types/errors.ts';
import type { CliEnd, CliKind, CliLine, CliReader, Launch, LaunchRequest, LoginState } from '../cli/kind.ts';
import { cleanEvents, cleanReport } from './clean.ts';
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

function launchProblem(given: unknown, workDir: string): string | undefined {
  if (typeof given !== 'object' || given === null) return 'it is no object';
  const { args, env, files, links, stdin, lastMessageFile } = given as Readonly<Record<string, unknown>>;
  const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0');
  if (!Array.isArray(args) || !args.every(isText)) return '`args` is no list of texts';
  if (typeof env !== 'object' || env === null || !Object.values(env).every(isText))
    return '`env` is no object of texts';
  if (!isPairs(files)) return '`files` is no list of [path, content]';
  if (links !== undefined && !isPairs(links)) return '`links` is no list of [path, file]';
  const outside = [...files, ...(links ?? [])].find(([path]) => !lies(path, workDir));
  if (outside !== undefined) return `"${outside[0]}" is not in the folder of the job`;
  if (stdin !== undefined && typeof stdin !== 'string') return '`stdin` is no text';
  if (lastMessageFile !== undefined && (!isText(lastMessageFile) || dirname(lastMessageFile) !== workDir))
    return '`lastMessageFile` is not in the folder of the job';
  return undefined;
}

function isPairs(value: unknown): value is readonly (readonly [string, string])[] {
  return (
    Array.isArray(value) &&
    value.every(
      (one) => Array.isArray(one) && one.length === 2 && one.every((part) => typeof part === 'string'),
    )
  );
}

class GuardedReader implements CliReader {
  readonly #plugin: PluginOrigin;
  #reader: CliReader | undefined;
  #failure: string | undefined;
  #hasEnded = false;

  constructor(kind: CliKind, plugin: PluginOrigin) {
    this.#plugin = plugin;
    this.#try('cannot begin to read', () => {
      this.#reader = kind.read();
    });
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  line(line: CliLine): readonly AgentEvent[] {
    return (
      this.#try('failed while it read', () => {
        const events = cleanEvents(this.#reader?.line(line));
        this.#hasEnded = this.#reader?.hasEnded === true;
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

function lies(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return isAbsolute(path) && way !== '' && way !== '..' && !way.startsWith('../') && !isAbsolute(way);
}

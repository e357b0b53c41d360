/**
 * What an attempt of a session gets before it starts, and what becomes of it when it has ended: a token, the socket it is
 * good for (opened with the first one), and a `sluice` on its PATH.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { socketIn } from '../sockets/socket-path.ts';
import type { AttemptState } from '../types/attempt-state.ts';
import type { Conditions } from '../types/condition.ts';
import { AppError } from '../types/errors.ts';
import { writeCommands } from './commands-folder.ts';
import type { Sessions } from './sessions.ts';

export interface AttemptStatesOptions {
  readonly sessions: Sessions;
  readonly stateDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly conditions: Conditions;
  /** What `sluice state` runs; default: our own. */
  readonly entry?: string;
}

const SOCKET = 'state.sock';

export class AttemptStates implements AsyncDisposable {
  readonly #options: AttemptStatesOptions;
  readonly #socket: string;
  #opened: Promise<AsyncDisposable> | undefined;
  #isWritten = false;

  constructor(options: AttemptStatesOptions) {
    const { stateDir, env } = options;
    this.#options = options;
    this.#socket = socketIn(stateDir, SOCKET, env, join(stateDir, SOCKET));
  }

  /**
   * Call before the attempt starts, and `revoke` when it has ended, however it did.
   * @param o.holder Names the attempt: what it held is let go of by `revoke(holder)`.
   * @param o.agent Whose private state it sees.
   * @returns undefined when the session is not in use, or the socket cannot be opened (a condition says so): the attempt
   * goes on without state.
   */
  async grant(o: {
    session: string;
    agent: string;
    holder: string;
    by?: string;
  }): Promise<AttemptState | undefined> {
    const { sessions, stateDir, conditions, entry } = this.#options;
    try {
      this.#opened ??= this.#open();
      await this.#opened;
    } catch (error) {
      this.#opened = undefined;
      if (!(error instanceof AppError)) throw error;
      const { code, message, fix } = error;
      conditions.raise({ code, subject: SOCKET, message, fix });
      return undefined;
    }
    conditions.clear('SOCKET_UNAVAILABLE', SOCKET);
    // Written once by each process: another version of us may have stood elsewhere.
    if (!this.#isWritten) rmSync(join(stateDir, 'commands'), { recursive: true, force: true });
    this.#isWritten = true;
    const { dir, parts, node } = writeCommands(stateDir, entry);
    const token = await sessions.grant(o).catch((error: unknown) => {
      if (error instanceof AppError) return undefined;
      throw error;
    });
    if (token === undefined) return undefined;
    return { socket: this.#socket, token, commandsDir: dir, parts, node };
  }

  /** The token is void at once, locks are free. Never rejects. */
  revoke(holder: string): Promise<void> {
    return this.#options.sessions.revoke(holder);
  }

  async #open(): Promise<AsyncDisposable> {
    const { openStateSocket } = await import('./socket.ts');
    return openStateSocket({ path: this.#socket, sessions: this.#options.sessions });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    if (opened) await (await opened.catch(() => undefined))?.[Symbol.asyncDispose]();
  }
}

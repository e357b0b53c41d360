/** Where `sluice state` asks: the socket of its attempt, the daemon, or the ledger itself. All answer alike. */
import { AppError } from '../../types/errors.ts';
import { type Answer, Client } from '../client.ts';
import type { StateTarget } from './command.ts';

export interface StateDoor {
  ask(method: string, path: string, body?: unknown): Promise<Answer>;
}

/** @returns undefined outside of an attempt. @throws {AppError} `FORBIDDEN`, `USAGE`. */
export function attemptDoor(env: NodeJS.ProcessEnv, { session, agent }: StateTarget): StateDoor | undefined {
  const { SLUICE_STATE_SOCKET: socket, SLUICE_STATE_TOKEN: token, SLUICE_SESSION_ID: own } = env;
  if (!socket || !token) return undefined;
  if (session !== undefined && session !== own)
    throw new AppError('FORBIDDEN', `This attempt belongs to session ${own}, and may see no other`, {
      fix: 'Leave `--session` out.',
    });
  if (agent !== undefined)
    throw new AppError('USAGE', '`--agent` is for the owner; an attempt sees its own private state', {
      fix: 'Use `--private`.',
    });
  const client = new Client(socket, token);
  return {
    async ask(method, path, body) {
      try {
        return await client.ask(method, path, body);
      } catch (cause) {
        throw new AppError('NOT_RUNNING', 'Sluice, which started this attempt, does not answer any more', {
          cause,
          fix: '`sluice state` works only while the attempt runs that it was started in.',
        });
      }
    },
  };
}

/** Opens a unix socket that only its owner can connect to, in the place of one that was left by a process that died. */
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { AppError, messageOf } from '../types/errors.ts';
import { isShortFolder } from './socket-path.ts';

/**
 * @param what For the message: `control socket`.
 * @throws {AppError} `SOCKET_UNAVAILABLE`; the server is closed.
 */
export async function listenOwnerOnly(server: Server, socket: string, what: string): Promise<void> {
  try {
    await listen(server, socket);
  } catch (cause) {
    server.close();
    throw new AppError('SOCKET_UNAVAILABLE', `Cannot open the ${what} "${socket}": ${messageOf(cause)}`, {
      cause,
      fix: 'Check that its folder can be written and lies on a local disk.',
    });
  }
}

async function listen(server: Server, socket: string): Promise<void> {
  const folder = dirname(socket);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // The short path leads through everybody's temporary folder, where somebody may have been first.
  if (isShortFolder(folder) && lstatSync(folder).uid !== process.getuid?.())
    throw new Error(`"${folder}" belongs to another user`);
  if (await isStale(socket)) rmSync(socket, { force: true });
  const mask = process.umask(0o077);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(socket, resolve);
    });
  } finally {
    process.umask(mask);
  }
  chmodSync(socket, 0o600);
}

/** A socket that nobody answers on was left by a process that died: the project lock says that we are the only one. */
async function isStale(socket: string): Promise<boolean> {
  if (!lstatSync(socket, { throwIfNoEntry: false })?.isSocket()) return false;
  return new Promise((resolve) => {
    const probe = connect(socket);
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', () => resolve(true));
  });
}

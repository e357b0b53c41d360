/** Where a project's unix sockets are: found from the state folder alone. */
import { hash } from 'node:crypto';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** The kernel's limit is 107 bytes; beyond this the socket moves to a short path of this user. */
const MAX_BYTES = 100;

/** @param name Of the socket in the state folder. @param what Its path is known elsewhere by the hash of this. */
export function socketIn(stateDir: string, name: string, env: NodeJS.ProcessEnv, what = stateDir): string {
  const path = join(stateDir, name);
  if (Buffer.byteLength(path) <= MAX_BYTES) return path;
  const base = env.XDG_RUNTIME_DIR ? join(env.XDG_RUNTIME_DIR, 'sluice') : temporaryFolder();
  return join(base, `${hash('sha256', what, 'hex').slice(0, 32)}.sock`);
}

/** Whether it is that of short paths where the system has none of this user. */
export function isShortFolder(path: string): boolean {
  return path === temporaryFolder();
}

function temporaryFolder(): string {
  return join(tmpdir(), `sluice-${userInfo().uid}`);
}

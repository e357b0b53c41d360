/** Where the control socket of a project is: found by every command from the state folder alone. */
import { hash } from 'node:crypto';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** The kernel's limit is 107 bytes; beyond this the socket moves to a short path of this user. */
const MAX_BYTES = 100;

export function socketPath(stateDir: string, env: NodeJS.ProcessEnv): string {
  const path = join(stateDir, 'control.sock');
  if (Buffer.byteLength(path) <= MAX_BYTES) return path;
  const base = env.XDG_RUNTIME_DIR
    ? join(env.XDG_RUNTIME_DIR, 'sluice')
    : join(tmpdir(), `sluice-${userInfo().uid}`);
  return join(base, `${hash('sha256', stateDir, 'hex').slice(0, 32)}.sock`);
}

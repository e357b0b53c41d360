/** Where the control socket of a project is: found by every command from the state folder alone. */
import { socketIn } from '../sockets/socket-path.ts';

export function socketPath(stateDir: string, env: NodeJS.ProcessEnv): string {
  return socketIn(stateDir, 'control.sock', env);
}

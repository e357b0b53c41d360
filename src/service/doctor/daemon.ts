/** Does a daemon already work on this project, and will commands find the one that a service runs? */
import { connect } from 'node:net';
import type { Config } from '../../config/config.ts';
import { readOwner } from '../../ledger/lock.ts';
import { type Check, good, warn } from './check.ts';
import type { Surroundings } from './surroundings.ts';

const answerWithinMs = 2_000;

/** Where the control socket of a project is, for who has this environment. */
export type SocketPath = (stateDir: string, env: NodeJS.ProcessEnv) => string;

export async function checkDaemon(
  { stateDir }: Config,
  { asService, env, shellEnv }: Surroundings,
  socketPath: SocketPath,
): Promise<Check[]> {
  const name = 'daemon';
  const [ours, theirs] = [socketPath(stateDir, shellEnv), socketPath(stateDir, env)];
  const owner = readOwner(stateDir);
  const who = owner
    ? `process ${owner.pid} (\`sluice ${owner.command}\`, since ${owner.startedAt})`
    : 'a daemon';
  const checks: Check[] = [];
  if (await answers(ours)) checks.push(good(name, `${who} runs`));
  else if (owner && isAlive(owner.pid))
    checks.push(
      warn(
        name,
        `${who} holds the project, but does not answer on ${ours}`,
        `ps -fp ${owner.pid}   # if it hangs: kill ${owner.pid}`,
      ),
    );
  else checks.push(good(name, 'none runs for this project'));
  if (asService && ours !== theirs) {
    checks.push(
      warn(
        'control socket',
        `the project's path is long, so a service opens ${theirs} where commands look at ${ours}`,
        'Move the project to a folder with a shorter path, or run commands with `env -u XDG_RUNTIME_DIR`.',
      ),
    );
  }
  return checks;
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socket);
    const end = (result: boolean) => {
      probe.destroy();
      resolve(result);
    };
    probe.setTimeout(answerWithinMs, () => end(false));
    probe.once('connect', () => end(true));
    probe.once('error', () => end(false));
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

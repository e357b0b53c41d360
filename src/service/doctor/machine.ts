/** Checks that need no configuration: Node, user, clock, temporary folder, service manager. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../../types/errors.ts';
import { type Check, fail, good, warn } from './check.ts';
import type { Surroundings } from './surroundings.ts';

const oldestNode = 24;

export function checkMachine(surroundings: Surroundings, now: number): Check[] {
  return [
    checkNode(surroundings),
    checkUser(surroundings),
    checkClock(now),
    checkTemporary(surroundings),
    checkManager(surroundings),
  ];
}

function checkNode({ asService }: Surroundings): Check {
  const name = 'node';
  if (Number.parseInt(process.versions.node, 10) < oldestNode) {
    return fail(
      name,
      `Node ${process.versions.node} is too old; ${oldestNode} or newer is needed`,
      `npm install node@${oldestNode}`,
    );
  }
  const manager = versionManagerOf(process.execPath);
  if (asService && manager !== undefined) {
    return warn(
      name,
      `Node ${process.versions.node} belongs to ${manager} (${process.execPath}): the service ends when that version is removed`,
      'Install Node for the whole machine (https://nodejs.org), then run `sluice service install` with it.',
    );
  }
  return good(name, `Node ${process.versions.node} (${process.execPath})`);
}

/** The version manager whose folder a program lies in: it moves with each upgrade, or asks the shell which one to run. */
export function versionManagerOf(file: string): string | undefined {
  return /\/(?:\.?(nvm|asdf|pyenv|rbenv|nodenv|volta|mise|fnm|sdkman|rtx))\/|\/(fnm)_multishells\//
    .exec(file)
    ?.slice(1)
    .find(Boolean);
}

function checkUser({ host }: Surroundings): Check {
  if (host.uid !== 0) return good('user', `user ${host.uid}, not root`);
  return warn('user', 'runs as root, and so would its agents', 'sluice service install --run-as sluice');
}

/** Before this program was written no clock that is right has stood. */
const oldestNow = Date.UTC(2026, 0);

function checkClock(now: number): Check {
  const shown = new Date(now).toISOString();
  if (now < oldestNow)
    return fail('clock', `the clock says ${shown}, which is past`, 'sudo timedatectl set-ntp true');
  return good('clock', shown);
}

function checkTemporary({ env }: Surroundings): Check {
  const name = 'temporary folder';
  const dir = env.TMPDIR || (env === process.env ? tmpdir() : '/tmp');
  try {
    rmSync(mkdtempSync(join(dir, 'sluice-doctor-')), { recursive: true });
    return good(name, dir);
  } catch (error) {
    return fail(
      name,
      `${dir} can not be written: ${messageOf(error)}`,
      'Set TMPDIR to a folder that exists and is yours, or repair it: `sudo chmod 1777 /tmp`.',
    );
  }
}

function checkManager({ host, asService, service }: Surroundings): Check {
  const name = 'service manager';
  if (service) return good(name, `${service.name} is installed (${service.file})`);
  if (host.platform === 'darwin') return good(name, 'launchd; no service is installed for this project');
  if (host.isSystemdRunning) return good(name, 'systemd; no service is installed for this project');
  const message = `systemd does not run here (the first process is "${host.firstProcess}")`;
  if (!asService) return good(name, `${message}; only \`sluice service\` needs it`);
  return fail(
    name,
    message,
    'In a container make `sluice start` its command; elsewhere start it from your init system.',
  );
}

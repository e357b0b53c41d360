/** What the service commands have to know of the machine; handed to them, so that a test can be another machine. */
import { existsSync, readFileSync } from 'node:fs';

export interface ServiceHost {
  readonly platform: NodeJS.Platform;
  readonly uid: number;
  readonly env: NodeJS.ProcessEnv;
  /** systemd is the first process of this machine. */
  readonly isSystemdRunning: boolean;
  /** What is, when it is not systemd. */
  readonly firstProcess: string;
  readonly systemUnitDir: string;
}

export function readServiceHost(env: NodeJS.ProcessEnv): ServiceHost {
  return {
    platform: process.platform,
    uid: process.getuid?.() ?? -1,
    env,
    // The test that systemd documents for this question (`sd_booted`).
    isSystemdRunning: existsSync('/run/systemd/system'),
    firstProcess: readFirstProcess(),
    systemUnitDir: '/etc/systemd/system',
  };
}

function readFirstProcess(): string {
  try {
    return readFileSync('/proc/1/comm', 'utf8').trim();
  } catch {
    return 'unknown';
  }
}

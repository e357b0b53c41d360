/** Why bubblewrap cannot confine on this machine, and what to do: by its words, and by what the system says of itself. */
import { existsSync, readFileSync } from 'node:fs';

export interface Remedy {
  readonly message: string;
  readonly fix: string;
}

const installers: readonly (readonly [ids: RegExp, command: string])[] = [
  [/\b(debian|ubuntu)\b/, 'sudo apt install bubblewrap'],
  [/\b(fedora|rhel|centos)\b/, 'sudo dnf install bubblewrap'],
  [/\barch\b/, 'sudo pacman -S bubblewrap'],
  [/\balpine\b/, 'sudo apk add bubblewrap'],
  [/\b(suse|opensuse\S*)\b/, 'sudo zypper install bubblewrap'],
  [/\bnixos\b/, 'nix-env -iA nixos.bubblewrap'],
];

/** @param osRelease Content of /etc/os-release. */
export function missingRemedy(osRelease = readSetting('/etc/os-release')): Remedy {
  const ids = [...osRelease.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)/gm)].map((match) => match[1]).join(' ');
  const command = installers.find(([pattern]) => pattern.test(ids))?.[1];
  return {
    message: 'bubblewrap (`bwrap`) is not installed',
    fix: command === undefined ? 'Install the package `bubblewrap`.' : `Run \`${command}\`.`,
  };
}

/** What of the system decides whether a user may make namespaces. */
export interface SystemFacts {
  readonly apparmorRestricts: boolean;
  readonly userNamespaces: 'allowed' | 'switched_off' | 'none';
  readonly isContainer: boolean;
}

export function systemFacts(): SystemFacts {
  const isOff = readSetting('/proc/sys/kernel/unprivileged_userns_clone') === '0';
  const isNone = readSetting('/proc/sys/user/max_user_namespaces') === '0';
  return {
    apparmorRestricts: readSetting('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === '1',
    userNamespaces: isNone ? 'none' : isOff ? 'switched_off' : 'allowed',
    isContainer: existsSync('/.dockerenv') || existsSync('/run/.containerenv'),
  };
}

/** @param stderr What bubblewrap said when it was tried. */
export function refusedRemedy(stderr: string, facts: SystemFacts = systemFacts()): Remedy {
  const said = stderr.trim().split('\n').at(-1)?.slice(0, 300) || 'it ended without a word';
  const message = `bubblewrap cannot confine here (${said})`;
  if (/Unknown option/i.test(stderr)) return { message, fix: 'Install bubblewrap 0.5 or later.' };
  if (facts.isContainer)
    return {
      message: `${message}: the container forbids it`,
      fix: 'Start the container with `--security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined`; it is then the sandbox that confines agents, not the container.',
    };
  if (facts.apparmorRestricts)
    return {
      message: `${message}: AppArmor keeps ordinary users from making namespaces (Ubuntu 23.10 and later)`,
      fix: 'Allow it for bubblewrap alone: write `abi <abi/4.0>, include <tunables/global> profile bwrap /usr/bin/bwrap flags=(unconfined) { userns, }` to /etc/apparmor.d/bwrap and run `sudo apparmor_parser -r /etc/apparmor.d/bwrap`. For every program: `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`.',
    };
  if (facts.userNamespaces === 'switched_off')
    return {
      message: `${message}: user namespaces are switched off`,
      fix: 'Run `sudo sysctl kernel.unprivileged_userns_clone=1`.',
    };
  if (facts.userNamespaces === 'none')
    return {
      message: `${message}: the kernel allows no user namespaces`,
      fix: 'Run `sudo sysctl user.max_user_namespaces=10000`.',
    };
  return { message, fix: 'Run `bwrap --ro-bind / / --unshare-all true` as the same user to see why.' };
}

function readSetting(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

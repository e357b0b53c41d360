/**
 * A process of its own around one attempt that may reach some hosts only (or that runs on macOS): it holds the filtering
 * proxy of `@anthropic-ai/sandbox-runtime`, which knows one configuration a process, and the confined command below it.
 * The daemon itself never loads that package.
 *
 * Argument: one JSON object, `HostsPlan`. Standard input, output and error are the command's; so is the exit status.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { HostsPlan } from './hosts.ts';

const plan = JSON.parse(process.argv[2] ?? '') as HostsPlan;
const env = { ...process.env, ...plan.env };
// Asked to end: the command is asked too, by whoever asked us, and how it ends is what we say.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});

// Its sockets lie where temporary files do, and must be seen from the inside. Their path must be short, which that of the
// job's folder is not.
const sockets = mkdtempSync('/tmp/sluice-');
process.env.TMPDIR = sockets;
process.once('exit', () => rmSync(sockets, { recursive: true, force: true }));

// It runs programs of its own inside: they must be seen there, also where it is installed below a home or /tmp.
const ownTools = fileURLToPath(new URL('..', import.meta.resolve('@anthropic-ai/sandbox-runtime')));
const { SandboxManager } = await import('@anthropic-ai/sandbox-runtime');
const { hosts, argv, denyRead, allowRead, allowWrite, denyWrite, cwd } = plan;
type Network = Parameters<typeof SandboxManager.initialize>[0]['network'];
// Without a list nothing is restricted; the type does not know that.
const network =
  hosts === undefined
    ? ({} as Network)
    : { allowedDomains: [...hosts], deniedDomains: [], strictAllowlist: true, ...socketsOf(plan) };
const quote = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;
try {
  await SandboxManager.initialize({
    // It looks for files with which a command could hide in the project; what may be written is named by us, file by file.
    ripgrep: { command: plan.nothing },
    network,
    filesystem: {
      denyRead: [...denyRead],
      allowRead: [...allowRead, sockets, ownTools],
      allowWrite: [...allowWrite],
      denyWrite: [...denyWrite],
    },
  });
  // That package has a place for temporary files of its own, which is not ours.
  const places = (['HOME', 'TMPDIR'] as const).map((name) => `export ${name}=${quote(plan.env[name] ?? '')}`);
  const command = `${places.join('; ')}; cd ${quote(cwd)} && exec ${argv.map(quote).join(' ')}`;
  // The name goes into the environment: by default it would be the whole command.
  const name = { commandId: randomUUID() };
  const wrapped = await SandboxManager.wrapWithSandbox(command, undefined, undefined, undefined, name);
  const child = spawn(wrapped, { shell: '/bin/bash', stdio: 'inherit', env, cwd });
  child.once('error', fail);
  child.once('exit', (code, signal) => {
    void SandboxManager.reset()
      .catch(() => {})
      .then(() => process.exit(signal === null ? (code ?? 0) : 128 + constants.signals[signal]));
  });
} catch (error) {
  fail(error as Error);
}

/** On Linux it can only refuse all; those of services cannot be seen anyway. */
function socketsOf({
  sockets: wanted,
}: HostsPlan): Pick<Network, 'allowUnixSockets' | 'allowAllUnixSockets'> {
  if (wanted.length === 0) return {};
  return process.platform === 'linux' ? { allowAllUnixSockets: true } : { allowUnixSockets: [...wanted] };
}

function fail(error: Error): void {
  process.stderr.write(`sandbox-runtime: ${error.message}\n`, () => process.exit(1));
}

/**
 * Confinement by `@anthropic-ai/sandbox-runtime`, where an agent may reach named hosts only, and on macOS: experimental.
 * What is seen and written is the same as with our own bubblewrap, said in that package's words.
 */
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SandboxConfig } from '../config/config.ts';
import { entryModule } from '../types/module-path.ts';
import { fsPath } from '../types/path-bytes.ts';
import type { ConfineRequest } from './confinement.ts';
import { arrangeMounts, type Mount } from './mounts.ts';
import { findTool } from './probe.ts';
import type { Remedy } from './remedy.ts';

/** What `hosts-main.ts` is told: on its command line, which everybody on the machine can read. */
export interface HostsPlan {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** What of the command's environment is not as in that process' own; the rest holds keys. */
  readonly env: Readonly<Partial<Record<'HOME' | 'TMPDIR' | 'PATH', string>>>;
  /** Undefined: all. */
  readonly hosts?: readonly string[];
  readonly denyRead: readonly string[];
  readonly allowRead: readonly string[];
  readonly allowWrite: readonly string[];
  readonly denyWrite: readonly string[];
  /** Unix sockets that may be connected to. */
  readonly sockets: readonly string[];
  /** A program that does nothing. */
  readonly nothing: string;
}

const packageName = '@anthropic-ai/sandbox-runtime';

/** Whether this confinement is the one that is asked for. */
export function needsHosts(sandbox: Exclude<SandboxConfig, { mode: 'off' }>): boolean {
  return Array.isArray(sandbox.network) || process.platform === 'darwin';
}

/** What is missing for it, besides bubblewrap; undefined when nothing is. */
export function hostsProblem(path: string): Remedy | undefined {
  try {
    createRequire(import.meta.url).resolve(packageName);
  } catch {
    return {
      message: `the package ${packageName} is not installed`,
      fix: 'Install Sluice anew (`npm install`), or write `network: none` or `network: allow`.',
    };
  }
  if (process.platform !== 'linux') return undefined;
  const missing = ['socat', 'bash'].filter((name) => findTool(name, path) === undefined);
  if (missing.length === 0) return undefined;
  return {
    message: `host lists need ${missing.join(' and ')}, which cannot be found`,
    fix: `Install ${missing.join(' and ')} (\`sudo apt install ${missing.join(' ')}\`), or write \`network: none\` or \`network: allow\`.`,
  };
}

export interface HostsRequest {
  readonly mounts: Iterable<Mount>;
  readonly network: 'none' | 'allow' | readonly string[];
  readonly request: ConfineRequest;
  /** Environment of the command. */
  readonly env: Readonly<Record<string, string>>;
}

/** How to start an attempt in it. It has no private places: home and temporary files lie in the job's folder. */
export function hostsStart({ mounts, network, request, env }: HostsRequest): {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
} {
  const { workDir, argv, cwd, state } = request;
  const [home, tmp] = ['home', 'tmp'].map((name) => join(workDir, name)) as [string, string];
  for (const dir of [home, tmp]) mkdirSync(fsPath(dir), { recursive: true, mode: 0o700 });
  const path = `${env.PATH}:/usr/local/bin:/usr/bin:/bin`;
  const plan: HostsPlan = {
    ...{ argv, cwd },
    env: { HOME: home, TMPDIR: tmp, ...(env.PATH !== undefined && { PATH: env.PATH }) },
    ...(network === 'allow' ? {} : { hosts: network === 'none' ? [] : network }),
    ...hostsPaths(mounts),
    sockets: state ? [state.socket] : [],
    nothing: findTool('true', path) ?? '/bin/true',
  };
  const main = fileURLToPath(entryModule('sandbox/hosts-main'));
  return { argv: [process.execPath, main, JSON.stringify(plan)], env: { ...env, PATH: path } };
}

/** What it said when it could not be set up. */
export function hostsFault(stderrTail: string): Remedy | undefined {
  const said = /^sandbox-runtime: (.*)/.exec(stderrTail)?.[1];
  if (said === undefined) return undefined;
  const fix = 'Write `network: none` or `network: allow` to use the built-in sandbox.';
  return { message: `The sandbox with host lists could not be set up: ${said}`, fix };
}

/** The view of an attempt in the words of that package. */
function hostsPaths(
  mounts: Iterable<Mount>,
): Pick<HostsPlan, 'denyRead' | 'allowRead' | 'allowWrite' | 'denyWrite'> {
  const arranged = arrangeMounts(mounts);
  const of = (...kinds: Mount['kind'][]) =>
    arranged.flatMap(({ kind, path }) => (kinds.includes(kind) ? [path] : []));
  return {
    denyRead: of('empty', 'hidden'),
    allowRead: of('visible', 'writable', 'protected'),
    allowWrite: of('writable'),
    denyWrite: of('protected'),
  };
}

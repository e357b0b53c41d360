/**
 * The environment the checks speak about: this shell's, or the bare one a service starts with. For an installed service
 * its unit says which PATH it has; otherwise systemd's own default is assumed, which is the worst that can happen.
 */
import { readFileSync } from 'node:fs';
import type { Config } from '../../config/config.ts';
import { readServiceHost, type ServiceHost } from '../host.ts';
import { type ServiceAddress, serviceAddress } from '../service.ts';

export interface Surroundings {
  readonly asService: boolean;
  /** In force for what is checked. */
  readonly env: NodeJS.ProcessEnv;
  /** Of the terminal that asks. */
  readonly shellEnv: NodeJS.ProcessEnv;
  /** What to call `env`'s PATH in a message. */
  readonly pathOf: string;
  readonly host: ServiceHost;
  /** The service of this project, if one is installed. */
  readonly service?: ServiceAddress;
}

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const keptByServices = ['HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG'];

export function readSurroundings(o: {
  readonly env: NodeJS.ProcessEnv;
  readonly asService: boolean;
  readonly config: Pick<Config, 'projectDir'> | undefined;
}): Surroundings {
  const host = readServiceHost(o.env);
  const installed = o.config && findService(host, o.config.projectDir);
  const found = {
    asService: o.asService,
    shellEnv: o.env,
    host,
    ...(installed && { service: installed.address }),
  };
  if (!o.asService) return { ...found, env: o.env, pathOf: "this shell's PATH" };
  const env: NodeJS.ProcessEnv = { PATH: installed?.path ?? defaultPath };
  for (const name of keptByServices) if (o.env[name] !== undefined) env[name] = o.env[name];
  return { ...found, env, pathOf: installed ? "the installed service's PATH" : "a service's PATH" };
}

function findService(
  host: ServiceHost,
  projectDir: string,
): { address: ServiceAddress; path?: string } | undefined {
  for (const scope of ['system', 'user'] as const) {
    if (host.env.HOME === undefined && scope === 'user') continue;
    const address =
      host.platform === 'darwin' && host.env.HOME === undefined
        ? undefined
        : serviceAddress({ projectDir, scope, host });
    if (address === undefined) continue;
    try {
      const path = pathIn(readFileSync(address.file, 'utf8'));
      return { address, ...(path !== undefined && { path }) };
    } catch {
      // Not installed in this scope.
    }
  }
  return undefined;
}

/** The stored PATH of a unit or a launchd agent that `service install` wrote. */
function pathIn(text: string): string | undefined {
  const inUnit = /^Environment="PATH=(.*)"$/m.exec(text)?.[1];
  if (inUnit !== undefined) return inUnit.replaceAll('%%', '%').replace(/\\(.)/g, '$1');
  return /<key>PATH<\/key>\s*<string>([^<]*)<\/string>/
    .exec(text)?.[1]
    ?.replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
}

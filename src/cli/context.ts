/** What every command can ask for: where the project is, its configuration, its daemon, or its parts without one. */
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { findConfig, projectDirOf } from '../config/find.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { Secrets } from '../secrets/secrets.ts';
import { socketPath } from '../server/socket-path.ts';
import { Client } from './client.ts';

export interface Project {
  readonly configFile: string;
  readonly projectDir: string;
  readonly stateDir: string;
}

export interface CommandContext {
  readonly env: NodeJS.ProcessEnv;
  /** @throws AppError CONFIG_NOT_FOUND */
  project(): Promise<Project>;
  /** @throws ConfigError */
  load(): Promise<LoadedConfig & { secrets: Secrets }>;
  /** The daemon of this project, if one answers. */
  daemon(): Promise<Client | undefined>;
}

export function createContext({ config: explicit }: { config?: string }): CommandContext {
  const { env } = process;
  const project = async (): Promise<Project> => {
    const configFile = await findConfig({ from: process.cwd(), ...(explicit !== undefined && { explicit }) });
    const projectDir = projectDirOf(configFile);
    return { configFile, projectDir, stateDir: join(projectDir, '.sluice') };
  };
  return {
    env,
    project,
    async load() {
      const { configFile, projectDir } = await project();
      const { loadConfig } = await import('../config/load.ts');
      const secrets = await openSecrets(projectDir, env);
      const loaded = await loadConfig(configFile, { checkReference: (text) => secrets.check(text) });
      return { ...loaded, secrets };
    },
    async daemon() {
      const { stateDir } = await project();
      const client = new Client(socketPath(stateDir, env));
      return (await client.isUp()) ? client : undefined;
    },
  };
}

async function openSecrets(projectDir: string, env: NodeJS.ProcessEnv): Promise<Secrets> {
  const { createSecrets } = await import('../secrets/secrets.ts');
  return createSecrets({
    env,
    projectDir,
    ...(env.CREDENTIALS_DIRECTORY !== undefined && { credentialsDir: env.CREDENTIALS_DIRECTORY }),
    ...(env.SLUICE_AGE_IDENTITY !== undefined && { identityFile: env.SLUICE_AGE_IDENTITY }),
  });
}

export type { Config };

/** What every command can ask for: where the project is, its configuration, its daemon, or its parts without one. */
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { findConfig, projectDirOf } from '../config/find.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { Secrets } from '../secrets/secrets.ts';
import { socketPath } from '../server/socket-path.ts';
import { AppError, messageOf } from '../types/errors.ts';
import { Client } from './client.ts';
import type { Reader } from './reader.ts';
import { readVersion } from './version.ts';

export interface Project {
  readonly configFile: string;
  readonly projectDir: string;
  readonly stateDir: string;
}

export interface CommandContext {
  readonly env: NodeJS.ProcessEnv;
  /** What `--config` names. */
  readonly namedConfig?: string;
  /** @throws AppError CONFIG_NOT_FOUND */
  project(): Promise<Project>;
  /** @throws ConfigError */
  load(): Promise<LoadedConfig & { secrets: Secrets }>;
  /** The configuration alone, for commands that only look: nothing is checked again while the files are the same. */
  config(): Promise<Config>;
  /** The daemon of this project, if one answers. */
  daemon(): Promise<Client | undefined>;
  /** @throws AppError NOT_RUNNING */
  requireDaemon(): Promise<Client>;
  /** What listings read: the daemon, or the ledger when none runs. */
  reader(): Promise<Reader>;
}

/** The options that every command takes. */
export interface GlobalOptions {
  readonly config?: string;
  readonly chdir?: string;
  readonly color?: boolean;
}

/** @throws AppError USAGE when the folder to work in cannot be entered. */
export function createContext({ config: explicit, chdir, color }: GlobalOptions): CommandContext {
  const { env } = process;
  if (chdir !== undefined) enter(chdir);
  if (color === false) env.NO_COLOR = '1';
  const project = async (): Promise<Project> => {
    const configFile = await findConfig({ from: process.cwd(), ...(explicit !== undefined && { explicit }) });
    const projectDir = projectDirOf(configFile);
    return { configFile, projectDir, stateDir: join(projectDir, '.sluice') };
  };
  const load = async (): Promise<LoadedConfig & { secrets: Secrets }> => {
    const { configFile, projectDir } = await project();
    const { loadProject } = await import('../engine/load-project.ts');
    const secrets = await openSecrets(projectDir, env);
    return { ...(await loadProject(configFile, secrets)), secrets };
  };
  const daemon = async (): Promise<Client | undefined> => {
    const { stateDir } = await project();
    const client = new Client(socketPath(stateDir, env));
    return (await client.isUp()) ? client : undefined;
  };
  return {
    env,
    ...(explicit !== undefined && { namedConfig: explicit }),
    project,
    load,
    async config() {
      const { knownConfig } = await import('./known-config.ts');
      const { configFile, stateDir } = await project();
      return knownConfig({ stateDir, configFile, env, version: readVersion(), load });
    },
    daemon,
    async requireDaemon() {
      const client = await daemon();
      if (client) return client;
      const { projectDir } = await project();
      throw new AppError('NOT_RUNNING', `No daemon runs for ${projectDir}`, {
        fix: 'Start it with `sluice start`, or install it with `sluice service install`.',
      });
    },
    async reader() {
      const client = await daemon();
      if (client) return (await import('./daemon-reader.ts')).createDaemonReader(client);
      return (await import('./ledger-reader.ts')).openLedgerReader(this);
    },
  };
}

function enter(folder: string): void {
  try {
    process.chdir(folder);
  } catch (cause) {
    throw new AppError('USAGE', `Cannot work in "${folder}": ${messageOf(cause)}`, {
      cause,
      fix: 'Name a folder that exists after `--chdir`.',
    });
  }
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

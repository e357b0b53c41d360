/**
 * `sluice agents detect`: what this machine has that could work, and the entries that register it. `--write` adds those to
 * the configuration, whose text is edited: what is there stays as it is, byte for byte.
 */
import { parseDocument } from 'yaml';
import { detectAgents } from '../../../agents/detect/detect.ts';
import { diffConfig } from '../../../config/diff.ts';
import { ConfigError, type LoadedConfig } from '../../../config/load.ts';
import type { Secrets } from '../../../secrets/secrets.ts';
import { AppError, messageOf } from '../../../types/errors.ts';
import { type Addition, asText, withAdditions } from '../../add-to-config.ts';
import type { CommandContext } from '../../context.ts';
import { compareWithConfig, type DetectedRow } from '../../detected.ts';
import { paint } from '../../paint.ts';
import { printJson, printLine, tell } from '../../print.ts';
import { printDetected } from '../../print-detected.ts';
import { replaceFile } from '../../replace-file.ts';

interface DetectCommandOptions {
  readonly write?: boolean;
  readonly json?: boolean;
}

type Loaded = LoadedConfig & { readonly secrets: Secrets };

export async function run(
  context: CommandContext,
  _args: readonly string[],
  { write = false, json = false }: DetectCommandOptions,
): Promise<number> {
  // Before programs are asked: who cannot be written to need not wait for them.
  const loaded = write ? await context.load() : await loadOrTell(context);
  const rows = await detect(context.env, loaded);
  const additions = rows.flatMap(({ addition }) => addition ?? []);
  const isAuto = loaded !== undefined && registersItself(loaded.source);
  const written = write && !isAuto && additions.length > 0;
  const changes = written ? await add(context, loaded as Loaded, additions) : [];
  if (json) {
    printJson({
      agents: rows.map(asJson),
      written: written ? additions.map(({ name }) => name) : [],
      config: loaded?.config.file ?? null,
    });
    return 0;
  }
  printDetected(rows);
  if (written) tellWritten(loaded?.config.file ?? '', additions, changes);
  else propose(additions, { isAuto, write });
  return 0;
}

/** Without `--write` no configuration is needed. */
async function loadOrTell(context: CommandContext): Promise<Loaded | undefined> {
  try {
    return await context.load();
  } catch (error) {
    if (error instanceof AppError && error.code === 'CONFIG_NOT_FOUND' && context.namedConfig === undefined)
      return undefined;
    if (!(error instanceof ConfigError)) throw error;
    tell('The configuration cannot be used (`sluice check` says why): what it has already is not known.\n');
    return undefined;
  }
}

async function detect(env: NodeJS.ProcessEnv, loaded: Loaded | undefined): Promise<readonly DetectedRow[]> {
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, stop);
  try {
    const projectDir = loaded?.config.projectDir ?? process.cwd();
    const packages = [...(loaded?.config.agents.values() ?? [])].flatMap((agent) =>
      agent.kind === 'plugin' ? (agent.cli.plugin?.package ?? []) : [],
    );
    const detections = await detectAgents({ env, projectDir, packages, signal: stopping.signal });
    if (stopping.signal.aborted)
      throw new AppError('USAGE', 'Ended before the programs had answered', {
        fix: 'Run the command again.',
      });
    return compareWithConfig(detections, loaded?.config, env);
  } finally {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, stop);
  }
}

/** `agents: auto` */
function registersItself(source: string): boolean {
  return parseDocument(source, { version: '1.2' }).get('agents') === 'auto';
}

/** @returns what else it changes, as paths of the configuration. */
async function add(
  context: CommandContext,
  loaded: Loaded,
  additions: readonly Addition[],
): Promise<readonly string[]> {
  const { configFile } = await context.project();
  const { source, secrets, config } = loaded;
  const byHand = `Add this yourself:\n\n${asText(additions)}`;
  const after = withAdditions(source, additions, configFile.endsWith('.json'));
  if (after === undefined)
    throw new AppError('USAGE', `${configFile} is written in a way that nothing can be added to`, {
      fix: byHand,
    });
  const { parseProject } = await import('../../../engine/load-project.ts');
  const now = await parseProject(configFile, after, secrets).catch((cause: unknown) => {
    throw new AppError(
      'INTERNAL',
      `With what was found the configuration would be wrong: ${messageOf(cause)}`,
      {
        cause,
        fix: 'Nothing was written. Please report this, and add by hand what you need.',
      },
    );
  });
  replaceFile(configFile, { before: source, after, fix: byHand });
  const own = additions.map(({ name }) => `agents.${name}`);
  const others = diffConfig(config, now.config)
    .map(({ path }) => path)
    .filter((path) => !own.some((prefix) => path === prefix || path.startsWith(`${prefix}.`)));
  return [...new Set(others.map((path) => path.replace(/\.(agent|agents|select)$/, '')))];
}

function tellWritten(file: string, additions: readonly Addition[], changes: readonly string[]): void {
  const names = additions.map(({ name }) => name).join(', ');
  printLine(
    `\n${paint('green', 'changed')}  ${file}: ${additions.length === 1 ? 'agent' : 'agents'} ${names}`,
  );
  for (const path of changes) printLine(`         ${path} chooses among them, too, by their capabilities`);
  tell(
    '\nA daemon that runs takes them over by itself. Name one in a rule (`agent: …`) or a step to give it work.',
  );
}

function propose(
  additions: readonly Addition[],
  o: { readonly isAuto: boolean; readonly write: boolean },
): void {
  if (o.isAuto) {
    tell(
      `\nThe configuration says \`agents: auto\`: what is on PATH is registered whenever it is read.${o.write ? ' Nothing was written.' : ''}`,
    );
  } else if (additions.length === 0) {
    tell(`\nNothing to add${o.write ? ': nothing was written' : ''}.`);
  } else {
    printLine(`\n${asText(additions).trimEnd()}`);
    tell('\nNext: sluice agents detect --write    adds this to the configuration');
  }
}

function asJson({ detection, agents, addition }: DetectedRow): unknown {
  const { id, title, isAgentCli, purpose, capabilities, state } = detection;
  const found = state.is === 'found' ? state : undefined;
  return {
    ...{ id, title, type: isAgentCli ? 'agent_cli' : 'tool', purpose, capabilities, state: state.is },
    program: state.is === 'missing' ? null : (state.file ?? null),
    version: found?.version ?? null,
    login: found?.login
      ? { state: found.login.state, detail: found.login.detail, fix: found.login.fix }
      : null,
    lacks_flags: found?.lacks ?? [],
    ...(state.is === 'unusable' && { problem: state.problem, fix: state.fix }),
    ...(state.is === 'missing' && { install: state.install, login_fix: state.login ?? null }),
    registered_as: agents,
    proposal: addition ? { name: addition.name, entry: addition.value } : null,
  };
}

/**
 * `sluice config migrate`: an older style (`watcher`, `watcher_endpoints`) in the words of today. The text is edited, not
 * written anew from the resolved configuration: comments, order and everything else stay. What comes out is loaded and
 * compared with what went in before anything is written.
 */
import { constants, copyFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { type Document, isMap, isScalar, isSeq, type Pair, parseDocument, type YAMLMap } from 'yaml';
import { diffConfig } from '../../../config/diff.ts';
import type { LoadedConfig } from '../../../config/load.ts';
import { parseProject } from '../../../engine/load-project.ts';
import type { Secrets } from '../../../secrets/secrets.ts';
import { AppError, messageOf } from '../../../types/errors.ts';
import type { CommandContext } from '../../context.ts';
import { tell } from '../../print.ts';

export async function run(
  context: CommandContext,
  _args: readonly string[],
  { write = false }: { readonly write?: boolean },
): Promise<number> {
  const { configFile } = await context.project();
  const loaded = await context.load();
  const text = configFile.endsWith('.json') ? migrateJson(loaded.source) : migrateYaml(loaded.source);
  if (text === loaded.source) {
    tell('nothing to migrate: the configuration is in the style of today');
    if (!write) process.stdout.write(text);
    return 0;
  }
  await requireSame(configFile, loaded, text);
  if (!write) {
    process.stdout.write(text);
    return 0;
  }
  const backup = replace(configFile, text);
  tell(`wrote ${configFile}; the old one is ${backup}`);
  return 0;
}

function migrateYaml(source: string): string {
  const document = parseDocument(source, { version: '1.2' });
  let hasChanged = false;
  const rules = document.get('routing_rules');
  for (const rule of isSeq(rules) ? rules.items : [])
    if (isMap(rule)) hasChanged = renameKey(rule, 'watcher', 'agent') || hasChanged;
  hasChanged = moveEndpoints(document) || hasChanged;
  // A file that needs nothing must come out byte for byte.
  return hasChanged ? document.toString({ lineWidth: 0, flowCollectionPadding: true }) : source;
}

function moveEndpoints(document: Document): boolean {
  const root = document.contents as YAMLMap;
  const endpoints = document.get('watcher_endpoints');
  const agents = document.get('agents');
  // What is found by itself has no place to stand beside.
  if (!isMap(endpoints) || agents === 'auto') return false;
  const http = endpoints.items.map((pair) => asHttpAgent(document, pair as Pair<unknown, unknown>));
  if (isMap(agents)) {
    agents.items.push(...(http as typeof agents.items));
    document.delete('watcher_endpoints');
  } else {
    // In its place, so that the comment above it stays where it was.
    document.delete('agents');
    renameKey(root, 'watcher_endpoints', 'agents');
    endpoints.items = http as typeof endpoints.items;
  }
  return true;
}

/** `name: URL` → `name: { kind: http, url: URL }`; the URL keeps its quotes and its comment. */
function asHttpAgent(document: Document, pair: Pair<unknown, unknown>): Pair<unknown, unknown> {
  const agent = document.createNode({ kind: 'http' }, { flow: true }) as YAMLMap;
  const comment = isScalar(pair.value) ? pair.value.comment : undefined;
  if (isScalar(pair.value)) pair.value.comment = null;
  agent.items.push(document.createPair('url', undefined) as never);
  (agent.items.at(-1) as Pair<unknown, unknown>).value = pair.value;
  if (comment) agent.comment = comment;
  pair.value = agent;
  return pair;
}

function renameKey(map: YAMLMap, from: string, to: string): boolean {
  for (const { key } of map.items)
    if (isScalar(key) && key.value === from) {
      key.value = to;
      return true;
    }
  return false;
}

function migrateJson(source: string): string {
  const data = JSON.parse(source) as Record<string, unknown> & {
    routing_rules?: Record<string, unknown>[];
    watcher_endpoints?: Record<string, string>;
  };
  let hasChanged = false;
  const rename = (rule: Record<string, unknown>): Record<string, unknown> => {
    if (!Object.hasOwn(rule, 'watcher')) return rule;
    hasChanged = true;
    return Object.fromEntries(
      Object.entries(rule).map(([key, value]) => [key === 'watcher' ? 'agent' : key, value]),
    );
  };
  if (data.routing_rules) data.routing_rules = data.routing_rules.map(rename);
  if (data.watcher_endpoints && data.agents !== 'auto') {
    const http = Object.entries(data.watcher_endpoints).map(([name, url]) => [name, { kind: 'http', url }]);
    data.agents = { ...(data.agents as object | undefined), ...Object.fromEntries(http) };
    delete data.watcher_endpoints;
    hasChanged = true;
  }
  return hasChanged ? `${JSON.stringify(data, undefined, 2)}\n` : source;
}

/** The same configuration in other words, or nothing is written. */
async function requireSame(
  file: string,
  before: LoadedConfig & { readonly secrets: Pick<Secrets, 'check'> },
  text: string,
): Promise<void> {
  const after = await parseProject(file, text, before.secrets);
  const [change] = diffConfig(before.config, after.config);
  if (change)
    throw new AppError('INTERNAL', `The migrated configuration would differ in ${change.path}`, {
      fix: 'Nothing was written. Please report this with the file, and change it by hand meanwhile.',
    });
}

/** @returns the name of the backup. */
function replace(file: string, text: string): string {
  const backup = `${file}.bak`;
  try {
    copyFileSync(file, backup, constants.COPYFILE_EXCL);
    // By rename: a daemon that reads it meanwhile sees the old one or the new one, whole.
    writeFileSync(`${file}.new`, text, { mode: statSync(file).mode & 0o777 });
    renameSync(`${file}.new`, file);
    return backup;
  } catch (cause) {
    throw new AppError('OUTPUT_UNWRITABLE', `Cannot replace ${file}: ${messageOf(cause)}`, {
      cause,
      fix: `Move ${backup} away if it is there, and make sure that you may write its folder.`,
    });
  }
}

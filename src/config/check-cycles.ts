/**
 * Loops that can be seen in the rules: what a rule's agent writes is taken by a rule whose agent writes what the first
 * takes. Only what is certain from the words of commands is an error; every other loop ends when it happens, by depth.
 * An agent that is confined and may not write there is not looked at: that is also the way out when it only reads.
 */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative } from 'node:path';
import type { AgentConfig, RootConfig, RuleConfig } from './config.ts';
import { contains } from './contains.ts';
import { compileGlob } from './glob.ts';
import { type KnownAgents, workersOf } from './resolve-target.ts';
import { projectPath, type Resolving } from './resolving.ts';
import { type WrittenPath, writtenPaths } from './written-paths.ts';

/** Every sample of a rule is tried against the rules before it: with thousands of rules most stay unlooked at. */
const maxTests = 300_000;

type CommandConfig = Extract<AgentConfig, { kind: 'command' }>;

interface Edge {
  readonly from: RuleConfig;
  readonly to: RuleConfig;
  readonly agent: CommandConfig;
  readonly at: WrittenPath['at'];
  /** What is written, as people read it. */
  readonly path: string;
}

export interface CycleInput {
  readonly rules: readonly RuleConfig[];
  readonly agents: KnownAgents;
  readonly roots: readonly RootConfig[];
  /** The output and state folders: never watched. */
  readonly own: readonly string[];
}

export async function checkCycles(context: Resolving, input: CycleInput): Promise<void> {
  const edges = new Map<RuleConfig, Edge[]>();
  const tree = watchedTree(input);
  for (const rule of input.rules) {
    const found: Edge[] = [];
    for (const agent of commandsOf(rule, input.agents))
      for (const written of writtenPaths(agent.command, agent.env))
        found.push(...(await edgesOf(context, input, tree, rule, agent, written)));
    if (found.length > 0) edges.set(rule, found);
  }
  const done = new Set<RuleConfig>();
  for (const rule of edges.keys()) walk(rule, [], done, edges, context.findings);
}

function commandsOf({ target }: RuleConfig, agents: KnownAgents): readonly CommandConfig[] {
  return workersOf(target, agents).flatMap((name) => {
    const agent = agents.get(name);
    return agent?.kind === 'command' ? [agent] : [];
  });
}

async function edgesOf(
  context: Resolving,
  { roots }: CycleInput,
  tree: WatchedTree,
  from: RuleConfig,
  agent: CommandConfig,
  written: WrittenPath,
): Promise<Edge[]> {
  const isLiteral = !written.text.includes('${{');
  // What is promoted from a copy is known as ours; a path in the copy is no path in the root.
  if (!isLiteral && agent.workspace === 'copy') return [];
  const found: Edge[] = [];
  for (const root of roots) {
    const sample = await tree.sampleOf(from, root);
    if (sample === undefined && !isLiteral) continue;
    const file = await targetOf(context, tree, written, sample ?? { root, rel: 'x' });
    if (file === undefined || !mayWrite(context, agent, file, roots)) continue;
    const taken = await tree.taken(file);
    if (taken === undefined) continue;
    const to = taken.rule;
    if (to === from && !written.certain) continue;
    if (!isLiteral) {
      // In place, or at rest after one step: no loop.
      const again = await targetOf(context, tree, written, taken);
      if (again === file || (sample && file === join(sample.root.dir, sample.rel))) continue;
    } else if (!taken.root.on.has('changed') && !written.keepsName && !written.folder) continue;
    found.push({ from, to, agent, at: written.at, path: relative(context.projectDir, file) });
    if (isLiteral) break;
  }
  return found;
}

/** The file that is written for one input: an absolute path. */
async function targetOf(
  context: Resolving,
  tree: WatchedTree,
  written: WrittenPath,
  { root, rel }: Sample,
): Promise<string | undefined> {
  const file = join(root.dir, rel);
  const name = basename(file);
  const values: Readonly<Record<string, string>> = {
    'file.path': file,
    'file.rel': rel,
    'file.name': name,
    'file.stem': basename(file, extname(file)),
    'file.ext': extname(file),
    'file.dir': dirname(file),
    'file.root': root.dir,
  };
  let unknown = false;
  const text = written.text.replaceAll(/\$\{\{\s*([^}]*?)\s*\}\}/g, (_all, key: string) => {
    const value = values[key];
    if (value === undefined) unknown = true;
    return value ?? '';
  });
  if (unknown) return undefined;
  const path = projectPath(context, text);
  const isFolder = written.folder || text.endsWith('/') || (await tree.isFolder(path));
  return isFolder ? join(path, written.keepsName ? name : 'x') : path;
}

function mayWrite(
  { projectDir }: Resolving,
  { sandbox }: CommandConfig,
  file: string,
  roots: readonly RootConfig[],
): boolean {
  if (sandbox.mode !== 'required') return true;
  return sandbox.write.some((entry) =>
    entry === 'workspace'
      ? roots.some((root) => contains(root.dir, file))
      : contains(entry === 'project' ? projectDir : entry, file),
  );
}

interface Sample {
  readonly root: RootConfig;
  /** Relative to the root. */
  readonly rel: string;
}

interface WatchedTree {
  isFolder(path: string): Promise<boolean>;
  /** The rule that takes an absolute path, if it is watched at all. */
  taken(file: string): Promise<(Sample & { readonly rule: RuleConfig }) | undefined>;
  /** A file that this rule would take. */
  sampleOf(rule: RuleConfig, root: RootConfig): Promise<Sample | undefined>;
}

function watchedTree({ rules, roots, own }: CycleInput): WatchedTree {
  const matchers = new Map<RuleConfig, (path: string) => boolean>();
  const known = new Map<string, ReturnType<WatchedTree['taken']>>();
  const folders = new Map<string, Promise<boolean>>();
  let tests = 0;
  const matches = (rule: RuleConfig, rel: string) => {
    let matcher = matchers.get(rule);
    if (!matcher) {
      const isAway = (pattern: string) => pattern.startsWith('!') && !pattern.startsWith('!(');
      const wanted = rule.patterns.filter((pattern) => !isAway(pattern));
      const away = rule.patterns.filter(isAway).map((pattern) => pattern.slice(1));
      const [takes, leaves] = [wanted, away].map((list) => list.map((pattern) => compile(pattern))) as [
        Matcher[],
        Matcher[],
      ];
      matcher = (path) => takes.some((test) => test(path)) && !leaves.some((test) => test(path));
      matchers.set(rule, matcher);
    }
    return matcher(rel);
  };
  const look: WatchedTree['taken'] = async (file) => {
    if (own.some((folder) => contains(folder, file))) return undefined;
    const [root] = roots
      .filter(({ dir }) => dir !== file && contains(dir, file))
      .toSorted((a, b) => b.dir.length - a.dir.length);
    if (root === undefined) return undefined;
    const rel = relative(root.dir, file);
    const rule = rules.find((one) => ++tests > maxTests || matches(one, rel));
    if (tests > maxTests) return undefined;
    return rule && !(await isIgnored(root, rel)) ? { root, rel, rule } : undefined;
  };
  const taken = (file: string) => remember(known, file, look);
  return {
    isFolder: (path) =>
      remember(folders, path, async () => (await stat(path).catch(() => undefined))?.isDirectory() ?? false),
    taken,
    async sampleOf(rule, root) {
      for (const rel of rule.patterns.flatMap(examplesOf)) {
        if (!matches(rule, rel)) continue;
        const found = await taken(join(root.dir, rel));
        if (found?.rule === rule && found.root === root) return found;
      }
      return undefined;
    },
  };
}

function remember<T>(
  known: Map<string, Promise<T>>,
  key: string,
  make: (key: string) => Promise<T>,
): Promise<T> {
  const found = known.get(key) ?? make(key);
  known.set(key, found);
  return found;
}

type Matcher = (path: string) => boolean;

/** A pattern that is not well formed has been reported; it takes nothing. */
function compile(pattern: string): Matcher {
  try {
    return compileGlob(pattern);
  } catch {
    return () => false;
  }
}

/** Paths that a glob of the usual forms takes: `src/x.py` for one of `py` below `src`. The caller tries whether it does. */
function examplesOf(pattern: string): string[] {
  const [name = '', ...folders] = pattern.split('/').toReversed();
  const path = folders.toReversed().filter((folder) => folder !== '**');
  const names = (/\{([^{}]*)\}/.exec(name)?.[1]?.split(',') ?? ['']).map((choice) =>
    name.replace(/\{[^{}]*\}/, choice),
  );
  const plain = (text: string) => text.replaceAll(/\*+/g, 'x').replaceAll('?', 'x');
  return names.map((one) => [...path, one].map(plain).join('/'));
}

/** As the watcher does: the root's own patterns, the built-in ones, and `.sluiceignore` files on the way. */
async function isIgnored(root: RootConfig, rel: string): Promise<boolean> {
  const { default: ignore } = await import('ignore');
  if (
    ignore()
      .add([...root.defaultIgnore, ...root.ignore])
      .ignores(rel)
  )
    return true;
  for (let folder = dirname(rel); ; folder = dirname(folder)) {
    const text = await readFile(join(root.dir, folder, '.sluiceignore'), 'utf8').catch(() => '');
    if (text && ignore().add(text).ignores(relative(folder, rel))) return true;
    if (folder === '.') return false;
  }
}

/** Depth first; a rule whose ways are all known is not entered again, so that each circle is reported once. */
function walk(
  rule: RuleConfig,
  way: readonly Edge[],
  done: Set<RuleConfig>,
  edges: ReadonlyMap<RuleConfig, readonly Edge[]>,
  findings: Resolving['findings'],
): void {
  const begin = way.findIndex((edge) => edge.from === rule);
  if (begin >= 0) {
    report(way.slice(begin), findings);
    return;
  }
  if (done.has(rule)) return;
  const seen = new Set<RuleConfig>();
  for (const edge of edges.get(rule) ?? []) {
    if (seen.has(edge.to)) continue;
    seen.add(edge.to);
    walk(edge.to, [...way, edge], done, edges, findings);
  }
  done.add(rule);
}

function report(circle: readonly Edge[], findings: Resolving['findings']): void {
  const [first] = circle;
  if (first === undefined) return;
  const at = ['agents', first.agent.name, ...first.at];
  const chain = circle.map((edge) => `"${edge.from.name}" → ${edge.path}`).join(' → ');
  findings.error(
    'RULE_CYCLE',
    findings.has(at) ? at : at.slice(0, -1),
    circle.length === 1
      ? `rule "${first.from.name}" feeds itself: its agent "${first.agent.name}" writes "${first.path}", which the rule takes`
      : `rules feed each other: ${chain} → "${first.from.name}"`,
    'Write into `$SLUICE_OUTPUT_DIR` or a folder that is not watched, or take the path away from the rule with a `"!…"` pattern. If the agent only reads there, say so: `sandbox: { mode: required }`.',
  );
}

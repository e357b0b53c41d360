/**
 * Which kind an agent of the configuration is: one that comes with Sluice, or one that an npm package brings. A package is
 * loaded once, when an agent of it is first looked at; what it exports is checked then, and guarded from then on.
 */
import { pathToFileURL } from 'node:url';
import type { CliAgent } from '../../config/config.ts';
import { AppError, messageOf } from '../../types/errors.ts';
import type { CliKind } from '../cli/kind.ts';
import { builtinCliKinds } from '../cli/kinds.ts';
import { fingerprintOf } from './fingerprint.ts';
import { guardKind } from './guard.ts';
import { folderFrom, type Located, locatePlugin, readManifest } from './locate.ts';
import { shapeProblems } from './shape.ts';
import * as tools from './tools.ts';

export interface PluginsOptions {
  /** Packages are looked for in `node_modules` from here upwards, then from where Sluice is installed. */
  readonly projectDir: string;
  /** How long a package may take to load. Default: 10 s. */
  readonly loadTimeoutMs?: number;
}

/** Where a kind comes from that a package brings. */
export interface PluginOrigin {
  /** As the configuration names it: a package, or a path. */
  readonly package: string;
  readonly version: string;
  /** The package's folder. Absolute. */
  readonly dir: string;
  /** Version and checksum of its entry: part of what decides a result. */
  readonly fingerprint: string;
}

export interface LoadedKind extends CliKind {
  /** Absent: it comes with Sluice. */
  readonly plugin?: PluginOrigin;
}

export interface Plugins {
  /**
   * The kind's `launch` throws an `AppError` (`PLUGIN_INVALID`) where a plugin's own threw or gave something else than a
   * launch: the attempt is then not started. Nothing else of it throws, whatever the plugin does.
   * @throws {AppError} `AGENT_UNAVAILABLE`: the package is not installed. `PLUGIN_INVALID`: it cannot be loaded, or is no
   * agent kind. Asked again, it is looked for again.
   */
  kindOf(agent: Pick<CliAgent, 'name' | 'kind' | 'cli'>): Promise<LoadedKind>;
  /**
   * Kinds of the packages that the project's package.json names and that say of themselves that they bring one (keyword
   * `sluice-agent-kind`); for those that cannot be loaded, why. Never throws.
   */
  installed(): Promise<{ readonly kinds: readonly LoadedKind[]; readonly problems: readonly AppError[] }>;
}

/** Packages that bring an agent kind have it among their keywords: so they are found, here and on npm. */
const pluginKeyword = 'sluice-agent-kind';
const fix = 'Update the package, or tell its author (docs/plugins.md says what it has to export).';

export function createPlugins({ projectDir, loadTimeoutMs = 10_000 }: PluginsOptions): Plugins {
  const loaded = new Map<string, Promise<LoadedKind>>();
  let failures = 0;

  const load = (named: string): Promise<LoadedKind> => {
    const known = loaded.get(named);
    if (known !== undefined) return known;
    const loading = loadPlugin(named, projectDir, { timeoutMs: loadTimeoutMs, turn: failures });
    loaded.set(named, loading);
    loading.catch(() => {
      failures += 1;
      loaded.delete(named);
    });
    return loading;
  };

  return {
    kindOf: async ({ name, kind, cli }) => {
      if (kind !== 'plugin') {
        const found = builtinCliKinds.get(kind);
        if (found !== undefined) return found;
        throw new AppError('INTERNAL', `Agent "${name}" is of kind "${kind}", which is not there`, {
          fix: 'This is a fault in Sluice; please report it.',
        });
      }
      try {
        return await load(cli.plugin?.package ?? '');
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        const { code, message, fix } = error;
        throw new AppError(code, `Agent "${name}" cannot run: ${message}`, { cause: error, fix });
      }
    },

    installed: async () => {
      const kinds: LoadedKind[] = [];
      const problems: AppError[] = [];
      for (const named of await declaredIn(projectDir))
        try {
          kinds.push(await load(named));
        } catch (error) {
          if (error instanceof AppError) problems.push(error);
        }
      return { kinds, problems };
    },
  };
}

/** Loads the kind that a package exports, by its name or path. @throws {AppError} as `Plugins.kindOf`. */
async function loadPlugin(
  named: string,
  projectDir: string,
  o: { readonly timeoutMs: number; readonly turn: number },
): Promise<LoadedKind> {
  const located = await locatePlugin(named, projectDir, import.meta.dirname);
  const exported = await withTimeout(load(located, o.turn), o.timeoutMs, located);
  const problems = shapeProblemsOf(exported);
  if (problems.length > 0) throw invalid(located, `is no agent kind: ${problems.join('; ')}`);
  const { version, dir } = located;
  const fingerprint = await fingerprintOf(located);
  return guardKind(exported as CliKind, { package: named, version, dir, fingerprint });
}

/** What the package exports for us: `agentKind`, or its default; a function is called with what plugins may use of ours. */
async function load(located: Located, turn: number): Promise<unknown> {
  const url = pathToFileURL(located.entry);
  // Node does not load a module again under a URL under which it failed; the file may have been corrected since.
  if (turn > 0) url.searchParams.set('turn', String(turn));
  try {
    const module = (await import(url.href)) as Readonly<Record<string, unknown>>;
    let exported = module.agentKind ?? module.default;
    // `module.exports = { default: … }`, as compilers make it.
    if (typeof exported === 'object' && exported !== null && !('apiVersion' in exported)) {
      const inner = exported as Readonly<Record<string, unknown>>;
      exported = inner.agentKind ?? inner.default ?? exported;
    }
    return typeof exported === 'function' ? await (exported as (given: unknown) => unknown)(tools) : exported;
  } catch (error) {
    throw invalid(located, `cannot be loaded: ${messageOf(error)}`, error);
  }
}

function shapeProblemsOf(exported: unknown): readonly string[] {
  if (exported === undefined) return ['it exports neither `agentKind` nor a default'];
  try {
    return shapeProblems(exported);
  } catch (error) {
    return [`it cannot be looked at: ${messageOf(error)}`];
  }
}

async function withTimeout<T>(work: Promise<T>, timeoutMs: number, located: Located): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(invalid(located, `does not finish loading within ${timeoutMs / 1000} s`)),
    timeoutMs,
  );
  work.catch(() => {});
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Only what the project asks for by name: what else lies in node_modules is somebody's dependency. */
async function declaredIn(projectDir: string): Promise<readonly string[]> {
  const { dependencies, devDependencies, optionalDependencies } = (await readManifest(projectDir).catch(
    () => ({}),
  )) as Readonly<Record<string, object | undefined>>;
  const names = Object.keys({ ...devDependencies, ...optionalDependencies, ...dependencies });
  const found = await Promise.all(
    names.map(async (name) => {
      const dir = folderFrom(projectDir, name);
      if (dir === undefined) return [];
      const { keywords } = await readManifest(dir).catch(() => ({ keywords: undefined }));
      return Array.isArray(keywords) && keywords.includes(pluginKeyword) ? [name] : [];
    }),
  );
  return found.flat().sort();
}

function invalid(located: Located, what: string, cause?: unknown): AppError {
  const { package: named, entry } = located;
  return new AppError('PLUGIN_INVALID', `The plugin "${named}" (${entry}) ${what}`, { cause, fix });
}

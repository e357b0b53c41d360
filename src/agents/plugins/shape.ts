/** Whether what a package exports is an agent kind: everything that is wrong with it at once, in words for its author. */
import { builtinCliKinds } from '../cli/kinds.ts';
import { isTexts } from '../cli/reading/values.ts';
import { homeProblems } from './home-problems.ts';

/** The version of the interface between Sluice and plugins. A change that breaks plugins raises it. */
const pluginApiVersion = 1;

const functions = ['loginState', 'launch', 'read', 'resume'] as const;
/** They may be absent. */
const furtherFunctions = ['keyVariables', 'loginVariables'] as const;
const texts = ['name', 'title', 'install', 'login', 'minimumVersion'] as const;
const lists = ['programs', 'capabilities', 'versionArgs', 'helpArgs', 'environment'] as const;

/** @returns what is wrong; nothing when it is an agent kind. */
export function shapeProblems(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return ['it is no object'];
  const kind = value as Readonly<Record<string, unknown>>;
  if (kind.apiVersion !== pluginApiVersion)
    return [
      kind.apiVersion === undefined
        ? `\`apiVersion: ${pluginApiVersion}\` is missing`
        : `it is for version ${String(kind.apiVersion)} of the interface, and this Sluice has ${pluginApiVersion}`,
    ];
  return [...fieldProblems(kind), ...clash(kind.name)];
}

/** The same of a kind that comes with Sluice: it has no `apiVersion`, and its name is its own. */
export function fieldProblems(kind: Readonly<Record<string, unknown>>): readonly string[] {
  return [
    ...texts
      .filter((key) => typeof kind[key] !== 'string' || kind[key] === '')
      .map((key) => `\`${key}\` is no text`),
    ...lists.filter((key) => !isTexts(kind[key])).map((key) => `\`${key}\` is no list of texts`),
    ...[...functions, ...furtherFunctions.filter((key) => kind[key] !== undefined)]
      .filter((key) => typeof kind[key] !== 'function')
      .map((key) => `\`${key}\` is no function`),
    ...nameProblems(kind.name),
    ...(isTexts(kind.programs) && kind.programs.length === 0 ? ['`programs` names no program'] : []),
    ...(typeof kind.minimumVersion === 'string' && !/^\d+(?:\.\d+)*$/.test(kind.minimumVersion)
      ? ['`minimumVersion` is no version like `1.2.3`']
      : []),
    ...environmentProblems(kind.environment),
    ...homeProblems(kind.home),
  ];
}

function nameProblems(name: unknown): readonly string[] {
  if (typeof name !== 'string' || name === '') return [];
  return /^[a-z][a-z0-9_-]{0,63}$/.test(name) ? [] : ['`name` is not made of a-z, 0-9, `_` and `-`'];
}

function clash(name: unknown): readonly string[] {
  return name === 'plugin' || (builtinCliKinds as ReadonlyMap<unknown, unknown>).has(name)
    ? [`\`name\` is "${String(name)}", which is a kind that comes with Sluice`]
    : [];
}

/** The whole environment of the daemon, with all its keys, is nothing that a CLI needs. */
function environmentProblems(names: unknown): readonly string[] {
  if (!isTexts(names)) return [];
  return names
    .filter((name) => !/^[A-Za-z_][A-Za-z0-9_]*\*?$/.test(name))
    .map((name) => `\`environment\` holds "${name}", which is no name of a variable`);
}

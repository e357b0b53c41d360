/**
 * How opencode is started for one attempt. Its settings are given as one JSON text in the environment, the strongest
 * place it has, on top of what the owner gave there (a provider, say). Settings, plugins, servers and instructions of the
 * folder it works in are switched off: that folder may hold what somebody dropped.
 *
 * Its cache holds code that later runs load. In our sandbox it has one of the job's own, and the person's is only read.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Launch, LaunchRequest } from '../kind.ts';
import { type Json, listOf, objectOf } from '../reading/values.ts';
import { guardName, guardSource } from './guard.ts';
import { permissionsOf } from './permissions.ts';

export function opencodeLaunch(request: LaunchRequest): Launch {
  const { model, effort, access, prompt, workDir, withoutFlags, version, isConfined, env } = request;
  const optional = (flag: string, ...values: readonly string[]): readonly string[] =>
    withoutFlags.includes(flag) || version.flags?.has(flag) === false ? [] : [flag, ...values];
  const guard = join(workDir, guardName);
  const cache = join(workDir, 'cache');
  return {
    args: [
      ...['run', '--format', 'json'],
      // Otherwise a model is paid to think of one.
      ...optional('--title', 'Sluice'),
      // The only place where it says why it waits for a service that fails.
      ...optional('--print-logs'),
      ...optional('--log-level', 'ERROR'),
      ...(model === undefined ? [] : ['--model', model]),
      ...(effort === undefined ? [] : optional('--variant', effort)),
      ...(access === 'all' ? ['--auto'] : []),
    ],
    env: {
      OPENCODE_CONFIG_CONTENT: JSON.stringify(settings(request, pathToFileURL(guard).href)),
      OPENCODE_PERMISSION: JSON.stringify(permissionsOf(request)),
      OPENCODE_DISABLE_PROJECT_CONFIG: '1',
      OPENCODE_DISABLE_CLAUDE_CODE: '1',
      OPENCODE_DISABLE_EXTERNAL_SKILLS: '1',
      OPENCODE_DISABLE_AUTOUPDATE: '1',
      OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
      ...(isConfined && { XDG_CACHE_HOME: cache }),
    },
    files: [[guard, guardSource]],
    links: isConfined ? cacheLinks(cache, env.HOME) : [],
    stdin: prompt,
  };
}

/** What of the person's cache it would otherwise have to fetch, and cannot always. */
function cacheLinks(cache: string, home: string | undefined): NonNullable<Launch['links']> {
  if (home === undefined) return [];
  return ['packages', 'bin', 'models.json'].map((name) => [
    join(cache, 'opencode', name),
    join(home, '.cache/opencode', name),
  ]);
}

/** @param guard URL of our plugin. */
function settings({ env, maxTurns }: LaunchRequest, guard: string): Record<string, unknown> {
  const given = parsed(env.OPENCODE_CONFIG_CONTENT);
  const agents = objectOf(given.agent);
  return {
    ...given,
    autoupdate: false,
    share: 'disabled',
    snapshot: false,
    plugin: [...listOf(given.plugin), guard],
    // It tells the model at the last step; whether that stops is the model's choice.
    ...(maxTurns !== undefined && {
      agent: { ...agents, build: { ...objectOf(agents.build), steps: maxTurns } },
    }),
  };
}

/** What is no JSON object there would stop opencode, too; it is left out. */
function parsed(text: string | undefined): Json {
  if (text === undefined) return {};
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return {};
  }
}

/**
 * How Codex CLI is started for one attempt: `codex exec --json … -`, the prompt by stdin.
 *
 * **Access.** Codex confines what it runs by a bubblewrap of its own, which cannot be made inside of ours: a user without
 * rights may not map ids a second time, so that each command, `ls` too, fails with "setting up uid map: Operation not
 * permitted" (its older way, Landlock alone, is refused by today's versions). Inside our sandbox it is therefore started
 * without its own (`danger-full-access`), and ours is what holds: everything is read-only there but the folder of the job,
 * Codex's own home without its settings, and the places that the agent was given to write. `read` stays what it says
 * because those are none, not because Codex would refuse; it is told so, and an attempt at writing comes back as a denial.
 * Without our sandbox its own is used: `read-only`, `workspace-write` with `--add-dir`, `danger-full-access`.
 *
 * **The folder it works in decides nothing.** AGENTS.md is not read (`project_doc_max_bytes`), `.codex` of the folder and
 * those above it is not either, even where the user has trusted it (`projects`, `project_root_markers`: otherwise the trust
 * of a parent counts); no skills are offered, none is pulled in by name (`skills.ts`); hooks are off; rules are ignored,
 * since one that allows a command lets it run outside of the sandbox. What the user's own `config.toml` says otherwise
 * holds: providers, MCP servers, the model.
 *
 * `tools`, `maxTurns` and `maxUsd` of a request have no counterpart.
 */
import { join } from 'node:path';
import type { Launch, LaunchRequest } from '../kind.ts';
import { withoutSkills } from './skills.ts';
import { strictSchema } from './strict-schema.ts';
import { tomlTable, tomlText } from './toml.ts';

/** Without these it does something else, or nothing: a version that lacks one is too old or too new. */
export const neededFlags: ReadonlySet<string> = new Set(['--json', '-c', '--sandbox']);

const sandboxes = { read: 'read-only', edit: 'workspace-write', all: 'danger-full-access' } as const;

const lookOnly =
  'You may look at everything and run commands, but change nothing: apart from the folder in $TMPDIR the file system is read-only.';

export function codexLaunch(request: LaunchRequest): Launch {
  const { access, cwd, directories, workDir, isConfined } = request;
  const { prompt, config } = withoutSkills(request.prompt);
  const provider = providerOf(request);
  const schema = request.schema && strictSchema(request.schema.schema);
  const schemaFile = join(workDir, 'codex-schema.json');
  const lastMessageFile = join(workDir, 'last-message.txt');
  const flags: readonly (readonly string[])[] = [
    ['--json'],
    // Asks GitHub at each start, and waits for it.
    ...setting('features.plugins', 'false'),
    // What the user has connected to an account (mail, calendars) is not this job's.
    ...setting('features.apps', 'false'),
    ...setting('features.hooks', 'false'),
    // Otherwise it waits for a network for ever.
    ...setting('features.unbounded_connection_retries', 'false'),
    ...setting('analytics.enabled', 'false'),
    ...setting('notify', '[]'),
    ...setting('project_doc_max_bytes', '0'),
    ...setting('project_root_markers', '[]'),
    ...setting('projects', `{${tomlText(cwd)}=${tomlTable({ trust_level: 'untrusted' })}}`),
    ...setting('skills.include_instructions', 'false'),
    ...setting('skills.bundled.enabled', 'false'),
    ...(config === undefined ? [] : setting('skills.config', config)),
    ['--ignore-rules'],
    ['--sandbox', isConfined ? 'danger-full-access' : sandboxes[access]],
    ...(isConfined && access === 'read' ? setting('developer_instructions', tomlText(lookOnly)) : []),
    ...(access === 'read' ? [] : directories.map((dir) => ['--add-dir', dir])),
    ...(request.skipGitCheck ? [['--skip-git-repo-check']] : []),
    ...(request.model === undefined ? [] : [['--model', request.model]]),
    ...(request.effort === undefined ? [] : setting('model_reasoning_effort', tomlText(request.effort))),
    ...provider.flags,
    ...(schema ? [['--output-schema', schemaFile]] : []),
    ['--output-last-message', lastMessageFile],
  ];
  return {
    args: ['exec', ...flags.filter(([flag]) => isKnown(request, flag as string)).flat(), '-'],
    env: provider.env,
    files: schema ? [[schemaFile, JSON.stringify(schema)]] : [],
    stdin: prompt,
    lastMessageFile,
  };
}

function setting(key: string, value: string): readonly (readonly string[])[] {
  return [['-c', `${key}=${value}`]];
}

function isKnown({ version, withoutFlags }: LaunchRequest, flag: string): boolean {
  if (neededFlags.has(flag)) return true;
  return !withoutFlags.includes(flag) && version.flags?.has(flag) !== false;
}

/**
 * With a key in a variable: today's Codex takes it from CODEX_API_KEY alone, and knows OPENAI_BASE_URL no more. Whoever sets
 * that beside a key means it, so it becomes a provider; one that `config.toml` names, and an account, come first.
 */
function providerOf({ env, login }: LaunchRequest): {
  readonly flags: readonly (readonly string[])[];
  readonly env: Readonly<Record<string, string>>;
} {
  const method = login?.method ?? (env.CODEX_API_KEY ? 'key' : 'other');
  if (method !== 'key') return { flags: [], env: {} };
  const { CODEX_API_KEY: own, OPENAI_API_KEY: shared, OPENAI_BASE_URL: endpoint } = env;
  const key = own || shared;
  const table = {
    name: 'OPENAI_BASE_URL',
    base_url: endpoint ?? '',
    env_key: 'CODEX_API_KEY',
    wire_api: 'responses',
  };
  return {
    flags: endpoint
      ? [
          ...setting('model_provider', tomlText('endpoint')),
          ...setting('model_providers.endpoint', tomlTable(table)),
        ]
      : [],
    env: key && key !== own ? { CODEX_API_KEY: key } : {},
  };
}

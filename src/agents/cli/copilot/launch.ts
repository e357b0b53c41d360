/**
 * How GitHub Copilot CLI is started for one attempt. Custom instructions, built-in servers and questions are switched off.
 * So are skills and sub-agents: it offers those of the folder it works in, and of folders it is given, to the model, and
 * their descriptions are instructions of whoever dropped them.
 */
import { join } from 'node:path';
import type { Launch, LaunchRequest } from '../kind.ts';

/** It counts tokens there; its stream does not. */
const usageName = 'copilot-usage.json';

export function copilotLaunch(request: LaunchRequest): Launch {
  const { model, effort, access, tools, directories, prompt, workDir, sessionId } = request;
  const { withoutFlags, version } = request;
  const optional = (flag: string, ...values: readonly string[]): readonly string[] =>
    withoutFlags.includes(flag) || version.flags?.has(flag) === false ? [] : [flag, ...values];
  const usage = optional('--usage-output-file', join(workDir, usageName));
  // One that the configuration names is wanted.
  const hidden = ['skill', 'task'].filter((name) => !tools.includes(name));
  return {
    args: [
      ...['--output-format', 'json', '--no-custom-instructions'],
      ...optional('--no-color'),
      ...optional('--no-auto-update'),
      ...optional('--no-ask-user'),
      ...optional('--disable-builtin-mcps'),
      ...optional('--no-remote'),
      ...(hidden.length > 0 ? [`--excluded-tools=${hidden.join(',')}`] : []),
      ...optional('--session-id', sessionId),
      ...usage,
      ...(model === undefined ? [] : [`--model=${model}`]),
      ...(effort === undefined ? [] : optional('--reasoning-effort', effort)),
      ...allowed(access),
      // With `=`, since the flag takes any number of words.
      ...tools.map((tool) => `--allow-tool=${tool}`),
      ...(access === 'all' ? [] : directories.flatMap((dir) => ['--add-dir', dir])),
    ],
    env: {
      COPILOT_AUTO_UPDATE: 'false',
      // It would trust the folder, and obey its hooks.
      COPILOT_ALLOW_ALL: 'false',
    },
    files: [],
    stdin: prompt,
    ...(usage.length > 0 && { lastMessageFile: join(workDir, usageName) }),
  };
}

function allowed(access: LaunchRequest['access']): readonly string[] {
  switch (access) {
    case 'read':
      return [];
    case 'edit':
      return ['--allow-tool=write'];
    case 'all':
      return ['--allow-all'];
    default:
      return access satisfies never;
  }
}

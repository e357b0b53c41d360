/**
 * How GitHub Copilot CLI is started for one attempt.
 *
 * It gets a home of its own (`COPILOT_HOME`). In the person's, `config.json` names folders that the person trusts, and in
 * those it runs hooks (`.github/hooks`, settings of Copilot's and Claude's kind) and starts servers (`.mcp.json`); it has no
 * switch against that: `disableAllHooks` in the settings, and its variables about hooks and servers, were tried and change
 * nothing there. Who is logged in is written into that home, the token goes by a variable (`login.ts`), sessions are
 * linked to the person's place, so that `copilot --resume` finds them.
 *
 * Custom instructions, built-in servers and questions are switched off. So are skills and sub-agents: it offers those of the
 * folder it works in, and of folders it is given, to the model, and their descriptions are instructions of whoever dropped
 * them.
 */
import { join } from 'node:path';
import type { Launch, LaunchRequest } from '../kind.ts';
import { configOf, copilotHome } from './login.ts';

/** Folder of its sessions in its home. */
export const sessionsName = 'session-state';

/** It counts tokens there; its stream does not. */
const usageName = 'copilot-usage.json';

export function copilotLaunch(request: LaunchRequest): Launch {
  const { model, effort, access, tools, directories, prompt, workDir, sessionId } = request;
  const { withoutFlags, version, env, login } = request;
  const home = join(workDir, 'copilot');
  const personal = copilotHome(env);
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
      COPILOT_HOME: home,
      COPILOT_AUTO_UPDATE: 'false',
      // It would trust the folder, and obey its hooks.
      COPILOT_ALLOW_ALL: 'false',
    },
    files: [
      [join(home, 'config.json'), configOf(login?.method)],
      [join(home, 'settings.json'), settings],
    ],
    links: personal === undefined ? [] : [[join(home, sessionsName), join(personal, sessionsName)]],
    stdin: prompt,
    ...(usage.length > 0 && { lastMessageFile: join(workDir, usageName) }),
  };
}

/** What it would do beside the work. */
const settings = `${JSON.stringify({
  ...{ autoUpdate: false, memory: false, connectors: false, remoteExport: false, disableAllHooks: true },
  ...{ extensions: { mode: 'disabled' }, ide: { autoConnect: false } },
})}\n`;

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

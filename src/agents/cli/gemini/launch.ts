/**
 * How Gemini CLI is started for one attempt.
 *
 * It gets a home of its own (`GEMINI_CLI_HOME`) with settings of ours, and works in a folder that it is told not to trust.
 * The other ways were tried on the real CLI and leave holes:
 * - With `--skip-trust`, or in a folder that the user trusts, it obeys GEMINI.md there (`context.fileName` only adds names),
 *   and reads `.gemini/.env`: a dropped file then replaces its system prompt, or sends the key to another server.
 * - Where trust of folders is switched off, settings of the folder run commands before anything is asked of the model.
 * - Settings by `GEMINI_CLI_SYSTEM_SETTINGS_PATH` are passed over unless root owns the file and every folder above it.
 * In a folder that is not trusted it lowers each approval mode to "default"; a policy file gives back what the mode means.
 * `--approval-mode` is passed all the same: it is what a person looks for in the flags.
 */
import { join } from 'node:path';
import type { Access } from '../../../types/agent-cli.ts';
import type { Launch, LaunchRequest } from '../kind.ts';
import { loginLinks, loginMethod } from './login.ts';
import { policyText } from './policy.ts';
import { harmlessPrompt } from './prompt.ts';
import { settingsText } from './settings.ts';

const modes: Readonly<Record<Access, string>> = { read: 'default', edit: 'auto_edit', all: 'yolo' };

export function geminiLaunch(request: LaunchRequest): Launch {
  const { version, model, access, sessionId, workDir, env } = request;
  const home = join(workDir, 'gemini');
  const policyFile = join(home, 'policy.toml');
  // A comma is no part of a path to this flag, and it trims.
  const isPlain = (dir: string): boolean => !dir.includes(',') && dir.trim() === dir;
  const flags: readonly (readonly string[])[] = [
    ['--output-format', 'stream-json'],
    ['--approval-mode', modes[access]],
    ...(version.flags?.has('--session-id') === false ? [] : [['--session-id', sessionId]]),
    // Without a model it asks a small one first, out of sight, which of the others is to answer.
    ...(model === undefined ? [] : [['-m', model]]),
    ...request.directories.filter(isPlain).map((dir) => ['--include-directories', dir]),
  ];
  return {
    args: flags.filter(([flag]) => !request.withoutFlags.includes(flag as string)).flat(),
    env: {
      GEMINI_CLI_HOME: home,
      // Only who wrote that into the agent's own `env` wants the folder to decide.
      GEMINI_CLI_TRUST_WORKSPACE: env.GEMINI_CLI_TRUST_WORKSPACE ?? 'false',
      // Otherwise a parent process that passes on no signal stands between us and it.
      GEMINI_CLI_NO_RELAUNCH: 'true',
      GEMINI_TELEMETRY_ENABLED: 'false',
      GEMINI_SANDBOX: 'false',
      NO_COLOR: '1',
    },
    files: [
      [
        join(home, '.gemini', 'settings.json'),
        settingsText({
          ...request,
          policyFile,
          directories: request.directories.filter((dir) => !isPlain(dir)),
          loginMethod: loginMethod(request),
        }),
      ],
      [policyFile, policyText(access, request.tools)],
    ],
    links: loginLinks(home, env.HOME),
    stdin: harmlessPrompt(request.prompt),
  };
}

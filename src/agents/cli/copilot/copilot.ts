/**
 * GitHub Copilot CLI, run as `copilot --output-format json`. Its stream is as complete as that of the first three. What it
 * does not do is left to the runner: it ends by a signal to its process group only, and not by itself when the service
 * does not answer (idle time-out).
 */
import { cliCapabilities } from '../../../config/capabilities.ts';
import type { CliKind } from '../kind.ts';
import { shellLine } from '../reading/shell-line.ts';
import { copilotLaunch, sessionsName } from './launch.ts';
import { copilotLoginState, copilotLoginVariables } from './login.ts';
import { CopilotReader } from './reader.ts';

export const copilotKind: CliKind = {
  name: 'copilot',
  title: 'GitHub Copilot CLI',
  programs: ['copilot'],
  install: 'npm install -g @github/copilot',
  login:
    'Run `copilot login`, or set COPILOT_GITHUB_TOKEN, or COPILOT_PROVIDER_BASE_URL for a model of your own.',
  capabilities: cliCapabilities.copilot,
  minimumVersion: '1.0.0',
  versionArgs: ['--version'],
  helpArgs: ['--help'],
  // Not COPILOT_ALLOW_ALL: what it may do is decided by the agent's permissions.
  environment: [
    'COPILOT_GITHUB_TOKEN',
    'GH_TOKEN',
    'GITHUB_TOKEN',
    'GH_HOST',
    'COPILOT_GH_HOST',
    'COPILOT_HOME',
    'COPILOT_MODEL',
    'COPILOT_OFFLINE',
    'COPILOT_PROVIDER_*',
  ],
  home: [
    // All that it has of the person's own folder (see `launch.ts`).
    { path: '.copilot', variable: 'COPILOT_HOME', below: sessionsName },
    // 235 MB of program.
    { path: '.cache/copilot', isReadOnly: true, unpackedBy: ['--version'] },
  ],
  loginState: copilotLoginState,
  loginVariables: copilotLoginVariables,
  launch: copilotLaunch,
  read: () => new CopilotReader(),
  resume: (sessionId, cwd) =>
    `${shellLine(['cd', cwd])} && ${shellLine(['copilot', `--resume=${sessionId}`])}`,
};

/**
 * OpenAI's Codex CLI, run as `codex exec --json`. It works in the user's own `~/.codex`, so that a person can go on with a
 * session (`codex resume`) and a log-in that it renews stays one; what there decides what later runs may do is protected.
 */
import { cliCapabilities } from '../../../config/capabilities.ts';
import type { CliKind, HomePlace } from '../kind.ts';
import { shellLine } from '../reading/shell-line.ts';
import { codexLaunch } from './launch.ts';
import { codexKeyVariables, codexLoginState } from './login.ts';
import { CodexReader } from './reader.ts';

/** An empty one is as good as none for Codex. */
const settings: HomePlace['protected'] = [
  { path: 'config.toml', content: '' },
  { path: 'AGENTS.md', content: '' },
  { path: 'AGENTS.override.md', content: '' },
  { path: 'hooks.json', content: '{"hooks":{}}\n' },
  // Read at each start, whatever it sets.
  { path: '.env', content: '' },
  // Names programs that commands are run through: each start of Codex starts them.
  { path: 'environments.toml', content: '' },
  // The last holds Codex itself where its own installer put it.
  ...['rules', 'skills', 'agents', 'prompts', 'plugins', 'packages'].map((path) => ({ path })),
];

export const codexKind: CliKind = {
  name: 'codex',
  title: 'Codex CLI',
  programs: ['codex'],
  install: 'npm install -g @openai/codex',
  login: 'Run `codex login`, or set CODEX_API_KEY.',
  capabilities: cliCapabilities.codex,
  // Older ones were not tried; this one behaves as today's does.
  minimumVersion: '0.140.0',
  versionArgs: ['--version'],
  helpArgs: ['exec', '--help'],
  environment: ['CODEX_HOME', 'CODEX_API_KEY', 'CODEX_ACCESS_TOKEN', 'CODEX_CA_CERTIFICATE', 'OPENAI_*'],
  home: [
    {
      path: '.codex',
      variable: 'CODEX_HOME',
      protected: settings,
      logIn: ['auth.json', 'config.toml'],
    },
  ],
  loginState: codexLoginState,
  keyVariables: codexKeyVariables,
  launch: codexLaunch,
  read: () => new CodexReader(),
  resume: (sessionId, cwd) => `${shellLine(['cd', cwd])} && ${shellLine(['codex', 'resume', sessionId])}`,
};

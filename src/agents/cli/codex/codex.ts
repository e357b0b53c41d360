/** OpenAI's Codex CLI, run as `codex exec --json`. */
import type { CliKind } from '../kind.ts';
import { codexLaunch } from './launch.ts';
import { codexLoginState } from './login.ts';
import { CodexReader } from './reader.ts';

export const codexKind: CliKind = {
  name: 'codex',
  title: 'Codex CLI',
  programs: ['codex'],
  install: 'npm install -g @openai/codex',
  login: 'Run `codex login`, or set CODEX_API_KEY.',
  capabilities: ['code_generation', 'code_review', 'refactoring', 'error_diagnosis', 'testing'],
  minimumVersion: '0.169.0',
  versionArgs: ['--version'],
  helpArgs: ['exec', '--help'],
  environment: ['CODEX_HOME', 'CODEX_API_KEY', 'OPENAI_*'],
  home: [{ path: '.codex', variable: 'CODEX_HOME' }],
  loginState: codexLoginState,
  launch: codexLaunch,
  read: () => new CodexReader(),
  resume: (sessionId, cwd) => `cd ${cwd} && codex resume ${sessionId}`,
};

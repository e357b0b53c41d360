/**
 * opencode, run as `opencode run --format json`. Versions from 1.18 on can be run headless: they take the prompt by stdin.
 * It prints nothing between the steps of its work, and nothing while it tries a failing service again for minutes, so that
 * only the runner's time-outs end an attempt that hangs.
 */
import { cliCapabilities } from '../../../config/capabilities.ts';
import type { CliKind } from '../kind.ts';
import { shellLine } from '../reading/shell-line.ts';
import { opencodeLaunch } from './launch.ts';
import { opencodeLoginState } from './login.ts';
import { OpencodeReader } from './reader.ts';

export const opencodeKind: CliKind = {
  name: 'opencode',
  title: 'opencode',
  programs: ['opencode'],
  install: 'npm install -g opencode-ai',
  login:
    'Run `opencode auth login`, or set the key of your model provider (`ANTHROPIC_API_KEY`, `OPENAI_API_KEY` …).',
  capabilities: cliCapabilities.opencode,
  minimumVersion: '1.18.0',
  versionArgs: ['--version'],
  helpArgs: ['run', '--help'],
  environment: [
    'OPENCODE_API_KEY',
    'OPENCODE_CONFIG',
    'OPENCODE_CONFIG_CONTENT',
    'OPENCODE_CONFIG_DIR',
    'OPENCODE_DISABLE_MODELS_FETCH',
    'OPENCODE_MODELS_URL',
    'ANTHROPIC_*',
    'OPENAI_*',
    'GEMINI_*',
    'GOOGLE_*',
    'OPENROUTER_API_KEY',
    'GROQ_API_KEY',
    'DEEPSEEK_API_KEY',
    'MISTRAL_API_KEY',
    'XAI_API_KEY',
  ],
  home: [
    {
      path: '.local/share/opencode',
      logIn: ['auth.json'],
      // Programs, and repositories whose settings and hooks count for later runs.
      protected: [{ path: 'bin' }, { path: 'repos' }, { path: 'snapshot' }],
    },
    { path: '.local/state/opencode' },
    // Code of providers, and where their services are: see `launch.ts`.
    { path: '.cache/opencode', isReadOnly: true },
    // Later runs obey what lies there, and plugins there are code, so that nothing of it is ever written. opencode makes
    // the first of these files at its start and gives up where it cannot: it is made beforehand.
    {
      path: '.config/opencode',
      protected: [
        {
          path: '.gitignore',
          content: 'node_modules\npackage.json\npackage-lock.json\nbun.lock\n.gitignore',
        },
        { path: '.' },
      ],
    },
  ],
  loginState: opencodeLoginState,
  launch: opencodeLaunch,
  read: () => new OpencodeReader(),
  resume: (sessionId, cwd) =>
    `${shellLine(['cd', cwd])} && ${shellLine(['opencode', '--session', sessionId])}`,
};

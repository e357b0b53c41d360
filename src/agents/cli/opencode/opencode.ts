/**
 * opencode, run as `opencode run --format json`. Sound for headless work since its 1.18 takes the prompt by stdin; what
 * it does not do itself is left to the runner's clocks: it tells nothing between the steps of its work (idle time-out),
 * and tries a failing service again for minutes without a word on stdout.
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
    { path: '.local/share/opencode', logIn: ['auth.json'] },
    { path: '.local/state/opencode' },
    { path: '.cache/opencode' },
    // What lies there is obeyed by later runs, and plugins there are code: nothing of it is written. It would make the
    // first of these files itself, and gives up where it cannot.
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

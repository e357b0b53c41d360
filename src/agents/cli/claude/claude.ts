/**
 * Anthropic's Claude Code, run as `claude -p`. It works in the user's own `~/.claude`, so that a person can go on with a
 * session (`claude --resume`) and a log-in that it renews stays one; what there decides what later runs may do is protected.
 */
import { cliCapabilities } from '../../../config/capabilities.ts';
import type { CliKind, HomePlace } from '../kind.ts';
import { shellLine } from '../reading/shell-line.ts';
import { claudeLaunch } from './launch.ts';
import { claudeLoginState } from './login.ts';
import { ClaudeReader } from './reader.ts';

const settings: HomePlace['protected'] = [
  { path: 'settings.json', content: '{}\n' },
  { path: 'settings.local.json', content: '{}\n' },
  { path: 'CLAUDE.md', content: '' },
  // Looked for at each start by a plugin that comes with it.
  { path: 'AGENTS.md', content: '' },
  // `local` holds Claude Code itself where an older installer put it.
  ...['agents', 'commands', 'hooks', 'local', 'output-styles', 'plugins', 'rules', 'skills', 'workflows'].map(
    (path) => ({
      path,
    }),
  ),
  // Read with CLAUDE_CONFIG_DIR alone, where it holds MCP servers.
  { path: '.claude.json', content: '{}\n' },
  // An old place of the same: a file there would be taken instead of `~/.claude.json`, a folder is passed over.
  { path: '.config.json' },
];

export const claudeKind: CliKind = {
  name: 'claude',
  title: 'Claude Code',
  programs: ['claude'],
  install: 'npm install -g @anthropic-ai/claude-code',
  login: 'Run `claude` and `/login`, or set ANTHROPIC_API_KEY.',
  capabilities: cliCapabilities.claude,
  // The first with CLAUDE_CODE_SAFE_MODE.
  minimumVersion: '2.1.169',
  versionArgs: ['--version'],
  helpArgs: ['--help'],
  environment: [
    'ANTHROPIC_*',
    'CLAUDE_CONFIG_DIR',
    'CLAUDE_CODE_OAUTH_TOKEN',
    'CLAUDE_CODE_USE_*',
    ...['BEDROCK', 'VERTEX', 'FOUNDRY', 'MANTLE', 'ANTHROPIC_AWS', 'ANTHROPIC_GOOGLE_CLOUD'].map(
      (cloud) => `CLAUDE_CODE_SKIP_${cloud}_AUTH`,
    ),
    ...['CLAUDE_CODE_MAX_RETRIES', 'CLAUDE_CODE_MAX_OUTPUT_TOKENS', 'API_TIMEOUT_MS'],
    // Of clouds only what is theirs alone: keys to a whole account are named in `env` of the agent.
    ...['AWS_BEARER_TOKEN_BEDROCK', 'AWS_REGION', 'CLOUD_ML_REGION', 'VERTEX_REGION_*'],
  ],
  home: [
    {
      path: '.claude',
      variable: 'CLAUDE_CONFIG_DIR',
      protected: settings,
      logIn: ['.credentials.json', 'settings.json'],
    },
    // Its own state, and MCP servers of the user: it goes on without writing it. Every session of a person changes it; but
    // where the log-in is in the key store of the system nothing else does.
    {
      path: '.claude.json',
      isFile: true,
      isReadOnly: true,
      logIn: process.platform === 'darwin' ? ['.'] : [],
    },
  ],
  loginState: (question) => claudeLoginState(question),
  launch: claudeLaunch,
  read: () => new ClaudeReader(),
  resume: (sessionId, cwd) => `${shellLine(['cd', cwd])} && ${shellLine(['claude', '--resume', sessionId])}`,
};

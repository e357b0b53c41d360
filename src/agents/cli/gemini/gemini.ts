/** Google's Gemini CLI, run headless with `--output-format stream-json`. */
import type { CliKind } from '../kind.ts';
import { geminiLaunch } from './launch.ts';
import { geminiLoginState } from './login.ts';
import { GeminiReader } from './reader.ts';

export const geminiKind: CliKind = {
  name: 'gemini',
  title: 'Gemini CLI',
  programs: ['gemini'],
  install: 'npm install -g @google/gemini-cli',
  login: 'Set GEMINI_API_KEY, or run `gemini` once and log in.',
  capabilities: ['code_review', 'code_generation', 'research', 'documentation', 'error_diagnosis'],
  minimumVersion: '0.50.0',
  versionArgs: ['--version'],
  helpArgs: ['--help'],
  environment: ['GEMINI_API_KEY', 'GOOGLE_*'],
  home: [{ path: '.gemini' }],
  loginState: geminiLoginState,
  launch: geminiLaunch,
  read: () => new GeminiReader(),
  resume: (sessionId, cwd) => `cd ${cwd} && gemini --resume ${sessionId}`,
};

/**
 * Google's Gemini CLI, run headless with `--output-format stream-json`. A session lies in a home that its job alone has
 * (see `launch.ts`) and goes with it, so there is nothing to resume.
 */
import { cliCapabilities } from '../../../config/capabilities.ts';
import type { CliKind } from '../kind.ts';
import { geminiLaunch } from './launch.ts';
import { geminiLoginState, geminiLoginVariables, loginFiles } from './login.ts';
import { GeminiReader } from './reader.ts';

export const geminiKind: CliKind = {
  name: 'gemini',
  title: 'Gemini CLI',
  programs: ['gemini'],
  install: 'npm install -g @google/gemini-cli',
  login: 'Set GEMINI_API_KEY, or run `gemini` once and log in.',
  capabilities: cliCapabilities.gemini,
  // Older ones were not tried; what keeps a folder from deciding what they do differs between versions.
  minimumVersion: '0.61.0',
  versionArgs: ['--version'],
  helpArgs: ['--help'],
  environment: [
    'GEMINI_API_KEY',
    'GEMINI_API_KEY_AUTH_MECHANISM',
    'GEMINI_MODEL',
    'GOOGLE_*',
    'CODE_ASSIST_*',
  ],
  home: loginFiles,
  loginState: geminiLoginState,
  loginVariables: geminiLoginVariables,
  launch: geminiLaunch,
  read: () => new GeminiReader(),
  resume: () => undefined,
};

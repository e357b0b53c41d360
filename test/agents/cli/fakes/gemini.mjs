#!/usr/bin/env node
/** Gemini CLI, as far as it is asked before it is started. */
import { play } from './player.mjs';

const camelCase = (name) => name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());

await play({
  version: '0.61.0',
  versionText: (version) => version,
  help: [
    'Usage: gemini [options] [command]',
    'Options:',
    '  -d, --debug                     Run in debug mode  [boolean] [default: false]',
    '  -m, --model                     Model  [string]',
    '  -p, --prompt                    Run in non-interactive (headless) mode with the given prompt.  [string]',
    '      --skip-trust                Trust the current workspace for this session.  [boolean] [default: false]',
    '  -s, --sandbox                   Run in sandbox?  [boolean]',
    '  -y, --yolo                      Automatically accept all actions  [boolean] [default: false]',
    '      --approval-mode             Set the approval mode  [string]',
    '      --policy                    Additional policy files or directories to load  [array]',
    '  -r, --resume                    Resume a previous session.  [string]',
    '      --session-id                Start a new session with a manually provided UUID.  [string]',
    '      --include-directories       Additional directories to include in the workspace  [array]',
    '  -o, --output-format             The format of the CLI output.  [string]',
    '  -v, --version                   Show version number  [boolean]',
    '  -h, --help                      Show help  [boolean]',
  ],
  refuse: (flag) => ({
    stderr: `Unknown arguments: ${flag.replace(/^--/, '')}, ${camelCase(flag.replace(/^--/, ''))}\nUsage: gemini [options] [command]\n`,
    exitCode: 1,
  }),
});

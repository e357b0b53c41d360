#!/usr/bin/env node
/** Codex CLI, as far as it is asked before it is started. */
import { play } from './player.mjs';

await play({
  version: '0.169.0',
  versionText: (version) => `codex-cli ${version}`,
  help: [
    'Run Codex non-interactively',
    'Usage: codex exec [OPTIONS] [PROMPT]',
    'Options:',
    '  -c, --config <key=value>',
    '      --enable <FEATURE>',
    '      --disable <FEATURE>',
    '  -m, --model <MODEL>',
    '  -s, --sandbox <SANDBOX_MODE>',
    '      --dangerously-bypass-approvals-and-sandbox',
    '  -C, --cd <DIR>',
    '      --add-dir <DIR>',
    '      --skip-git-repo-check',
    '      --trust',
    '      --ephemeral',
    '      --ignore-user-config',
    '      --ignore-rules',
    '      --output-schema <FILE>',
    '      --color <COLOR>',
    '      --json',
    '  -o, --output-last-message <FILE>',
    '  -h, --help',
  ],
  refuse: (flag) => ({
    stderr: `error: unexpected argument '${flag}' found\n\n  tip: to pass '${flag}' as a value, use '-- ${flag}'\n\nUsage: codex exec [OPTIONS] [PROMPT]\n\nFor more information, try '--help'.\n`,
    exitCode: 2,
  }),
});

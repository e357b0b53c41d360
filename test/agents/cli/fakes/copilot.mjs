#!/usr/bin/env node
/** GitHub Copilot CLI, as far as it is asked before it is started. */
import { play } from './player.mjs';

await play({
  version: '1.0.102',
  versionText: (version) => `GitHub Copilot CLI ${version}.\nRun 'copilot update' to check for updates.`,
  help: [
    'Usage: copilot [OPTIONS] [COMMAND]',
    'Options:',
    '  -p, --prompt <text>',
    '      --output-format <format>',
    '      --session-id <id>',
    '      --usage-output-file <file>',
    '      --no-custom-instructions',
    '      --no-ask-user',
    '      --no-auto-update',
    '      --no-color',
    '      --no-remote',
    '      --disable-builtin-mcps',
    '      --excluded-tools [<tools>...]',
    '      --allow-tool [<tools>...]',
    '      --add-dir <directory>',
    '      --allow-all',
    '  -h, --help',
  ],
  refuse: (flag) => ({ stderr: `error: unexpected argument '${flag}' found\n`, exitCode: 2 }),
});

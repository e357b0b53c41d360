#!/usr/bin/env node
/** GitHub Copilot CLI, as far as it is asked before it is started. Whatever it is asked, it unpacks itself first. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { play } from './player.mjs';

try {
  mkdirSync(join(process.env.HOME, '.cache/copilot/pkg/1.0.102'), { recursive: true });
} catch (error) {
  process.stderr.write(`Failed to extract bundled package: ${error}\n`);
  process.exit(1);
}

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

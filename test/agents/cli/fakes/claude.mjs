#!/usr/bin/env node
/** Claude Code, as far as it is asked before it is started. */
import { play } from './player.mjs';

await play({
  version: '2.1.328',
  versionText: (version) => `${version} (Claude Code)`,
  help: [
    'Usage: claude [options] [command] [prompt]',
    'Options:',
    '  --add-dir <directories...>            More directories Claude can access',
    '  --allowedTools, --allowed-tools <tools...>',
    '  --append-system-prompt <prompt>       Add text to the end of the default',
    '  --dangerously-skip-permissions        Bypass all permission checks.',
    '  --disable-slash-commands              Disable all skills and commands',
    '  --disallowedTools, --disallowed-tools <tools...>',
    '  --effort <level>                      Effort level for the current session',
    '  --include-partial-messages            Include partial message chunks as they',
    '  --json-schema <schema>                JSON Schema for structured output',
    '  --max-budget-usd <amount>             Maximum dollar amount to spend on API',
    '  --model <model>                       Model for the current session. Use an',
    '  --output-format <format>              Output format (only works with --print):',
    '  --permission-mode <mode>              Permission mode to use for the session',
    '  -p, --print                           Print response and exit (useful for',
    '  -r, --resume [value]                  Resume a conversation by session ID or',
    '  --session-id <uuid>                   Use a specific session ID for the',
    '  --setting-sources <sources>           Comma-separated list of setting sources',
    '  --settings <file-or-json>             Settings file or JSON string to load',
    '  --strict-mcp-config                   Only use MCP servers from --mcp-config,',
    '  --tools <tools...>                    Built-in tools to make available: "" for',
    '  --verbose                             Override the verbose setting',
    '  -v, --version                         Output the version number',
  ],
  refuse: (flag) => ({ stderr: `error: unknown option '${flag}'\n`, exitCode: 1 }),
});

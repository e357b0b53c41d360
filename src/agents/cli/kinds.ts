/** The kinds of agent CLIs that come with Sluice. */
import type { CliKindName } from '../../config/config.ts';
import { claudeKind } from './claude/claude.ts';
import { codexKind } from './codex/codex.ts';
import { copilotKind } from './copilot/copilot.ts';
import { geminiKind } from './gemini/gemini.ts';
import type { CliKind } from './kind.ts';
import { opencodeKind } from './opencode/opencode.ts';

export const builtinCliKinds: ReadonlyMap<Exclude<CliKindName, 'plugin'>, CliKind> = new Map([
  ['claude', claudeKind],
  ['codex', codexKind],
  ['gemini', geminiKind],
  ['opencode', opencodeKind],
  ['copilot', copilotKind],
]);

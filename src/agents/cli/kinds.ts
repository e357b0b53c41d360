/** The kinds of agent CLIs that come with Sluice. */
import type { CliKindName } from '../../config/config.ts';
import { codexKind } from './codex/codex.ts';
import { geminiKind } from './gemini/gemini.ts';
import type { CliKind } from './kind.ts';

export const builtinCliKinds: ReadonlyMap<Exclude<CliKindName, 'plugin'>, CliKind> = new Map([
  ['codex', codexKind],
  ['gemini', geminiKind],
]);

/**
 * From what Claude Code was not let do to what would lift it. It names a kind of reason only for some denials; for shell
 * commands the words of the message decide.
 */
import { dirname, isAbsolute } from 'node:path';
import type { Cure, Denial } from '../../../types/agent-cli.ts';
import { oneLine } from '../reading/events.ts';
import { isFileTool } from './tools.ts';

export interface Refusal {
  readonly tool: string;
  readonly message: string;
  /** `workingDir`, `safetyCheck`, `rule` … */
  readonly reason?: string | undefined;
  /** What the call was about. */
  readonly file?: string | undefined;
  readonly command?: string | undefined;
  /** Of the session: `default`, `acceptEdits`, `bypassPermissions`. */
  readonly mode?: string | undefined;
}

/** Given by rules of the user or the organisation, or by somebody's decision: no launch lifts those. */
const settled: ReadonlySet<string> = new Set(['rule', 'hook', 'classifier', 'permissionPromptTool']);
const needsPerson: ReadonlySet<string> = new Set(['AskUserQuestion', 'EnterPlanMode', 'ExitPlanMode']);

const outside =
  /^(?<verb>[\w .]*?) (?:in|to) '(?<path>\/[^']*)' (?:was blocked\. For security, Claude Code may only .* allowed working directories|needs approval\. The path is outside the working directories)/;
const inside = /needs approval\. The path is inside the working directories/;
/** Their path is the folder itself. */
const folderVerbs = /^(?:cd|pushd|ls|find|tree|du)$/;
/** What it blocks of these only looks. */
const looks =
  /may only (?:concatenate|list|change directories|search|read|view|print|count|compare|find|display|show|sort)/;

export function denialOf(refusal: Refusal): Denial {
  const cure = cureOf(refusal);
  return {
    message: messageOf(refusal),
    tool: refusal.tool,
    ...(refusal.file !== undefined && { file: refusal.file }),
    ...(cure && { cure }),
  };
}

/** Names what it is about, where the message does not. */
function messageOf({ tool, message, command }: Refusal): string {
  const said = oneLine(message.replace(/ IMPORTANT: .*/s, ''), 400);
  if (command === undefined || / in '|with command/.test(said)) return said || `${tool} was denied`;
  return `${tool} ${oneLine(command, 120)}: ${said || 'denied'}`;
}

function cureOf(refusal: Refusal): Cure | undefined {
  const { tool, message, reason, mode } = refusal;
  if (needsPerson.has(tool) || isSettled(refusal)) return undefined;
  // It may do anything already.
  if (mode === 'bypassPermissions') return undefined;
  if (reason === 'safetyCheck') return { kind: 'access', access: 'all' };
  const place = placeOf(refusal);
  if (place) return place;
  if (isFileTool(tool)) return mode === 'acceptEdits' ? oneTool(tool) : { kind: 'access', access: 'edit' };
  if (tool === 'Bash' && inside.test(message) && mode !== 'acceptEdits')
    return { kind: 'access', access: 'edit' };
  return oneTool(tool === 'Bash' ? bashRule(refusal.command) : tool);
}

function isSettled({ reason, message }: Refusal): boolean {
  if (reason !== undefined && settled.has(reason)) return true;
  return /^Permission to use .* has been denied\.?$/s.test(message.trim());
}

function placeOf({ tool, message, reason, file }: Refusal): Cure | undefined {
  if (reason === 'workingDir' && file !== undefined && isAbsolute(file))
    return { kind: 'directory', path: dirname(file), write: isFileTool(tool) };
  const { verb = '', path } = outside.exec(message)?.groups ?? {};
  if (path === undefined) return undefined;
  const isFolder = folderVerbs.test(verb) || path.endsWith('/');
  return { kind: 'directory', path: isFolder ? trimmed(path) : dirname(path), write: !looks.test(message) };
}

/** Beyond what its access gives; where that may not be `all`, a person decides. */
function oneTool(tool: string): Cure {
  return { kind: 'tool', tool, access: 'all' };
}

/** The program with its first plain word: `Bash(npm test:*)`. All of Bash where a line does more than run one program. */
export function bashRule(command: string | undefined): string {
  const words = /^\s*([\w./-]+(?: [^\s;&|<>()$`\\'"*?{}[\]~#!]+)*)\s*$/.exec(command ?? '')?.[1]?.split(' ');
  const [program, first] = words ?? [];
  if (program === undefined) return 'Bash';
  return first !== undefined && /^[a-z][\w:-]*$/.test(first)
    ? `Bash(${program} ${first}:*)`
    : `Bash(${program}:*)`;
}

function trimmed(path: string): string {
  return path.length > 1 ? path.replace(/(?<!\/)\/+$/, '') || '/' : path;
}

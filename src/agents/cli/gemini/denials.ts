/** Which failed call of a tool is one that Gemini CLI did not allow, and what would have allowed it. */
import { dirname, isAbsolute } from 'node:path';
import type { Access, Cure, Denial } from '../../../types/agent-cli.ts';
import { oneLine } from '../reading/events.ts';
import { hiddenTools, simplerShell } from './policy.ts';

export interface FailedCall {
  /** Absent when the call itself was not seen. */
  readonly tool?: string;
  readonly file?: string;
  /** `tool_not_registered`, `policy_violation`, `invalid_tool_params` … */
  readonly type: string;
  readonly message: string;
}

/** Which access offers a tool that the model was not offered. */
const accessOf: Readonly<Record<string, Access>> = {
  write_file: 'edit',
  replace: 'edit',
  run_shell_command: 'all',
  web_fetch: 'all',
};
const writers: ReadonlySet<string> = new Set(['write_file', 'replace']);
/** Their path is the folder that they look into. */
const folderTools: ReadonlySet<string> = new Set([
  'list_directory',
  'glob',
  'grep_search',
  'run_shell_command',
]);

export function denialOf(call: FailedCall): Denial | undefined {
  const { message, type } = call;
  const outside = /Path not in workspace: Attempted path "(.+?)" resolves outside/s.exec(message)?.[1];
  // The rest of the message lists all folders that it has.
  if (outside !== undefined)
    return denial(
      { ...call, message: `Path not in workspace: "${outside}"` },
      outside,
      directoryCure(outside, call.tool),
    );
  // A session that was not given a tool says so in two ways.
  const [, unknown] = /Tool "([\w-]+)" not found/.exec(message) ?? [];
  if (type === 'tool_not_registered' || unknown !== undefined) {
    const tool = unknown ?? call.tool ?? '';
    // Tools that there are not at all are the model's mistake.
    return Object.hasOwn(accessOf, tool) ? denial({ ...call, tool }, undefined, accessCure(tool)) : undefined;
  }
  if (/requires user confirmation, which is not supported/.test(message))
    return denial(call, undefined, accessCure(call.tool ?? ''));
  // The file system, or the sandbox around all this: no flag of the CLI lifts that.
  if (writers.has(call.tool ?? '') && /\b(?:EROFS|EACCES|EPERM)\b|^Permission denied/.test(message))
    return denial(call);
  if (type !== 'policy_violation' && !/^Tool execution denied by policy/.test(message)) return undefined;
  if (message.includes(simplerShell) || hiddenTools.includes(call.tool ?? '')) return undefined;
  return denial(call);
}

function denial({ tool, file, message }: FailedCall, path = file, cure?: Cure): Denial {
  return {
    message: oneLine(tool === undefined ? message : `${tool}: ${message}`),
    ...(tool !== undefined && { tool }),
    ...(path !== undefined && { file: path }),
    ...(cure && { cure }),
  };
}

function accessCure(tool: string): Cure | undefined {
  const access = Object.hasOwn(accessOf, tool) ? accessOf[tool] : undefined;
  return access && { kind: 'access', access };
}

function directoryCure(path: string, tool: string | undefined): Cure | undefined {
  if (!isAbsolute(path)) return undefined;
  const isFolder = tool !== undefined && folderTools.has(tool);
  return {
    kind: 'directory',
    path: isFolder ? path : dirname(path),
    write: tool !== undefined && writers.has(tool),
  };
}

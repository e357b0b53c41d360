/**
 * What opencode was refused. Its stream says of a call of a tool that it was refused, stderr says what was asked for:
 * `permission requested: external_directory (/etc/*); auto-rejecting`, one line for each, in the same order.
 */
import { dirname, isAbsolute } from 'node:path';
import type { Cure, Denial } from '../../../types/agent-cli.ts';

export interface Rejected {
  readonly tool: string;
  readonly file?: string;
}

const asked = /permission requested: ([\w-]+) \((.*)\); auto-rejecting/g;

export function isRejection(error: string): boolean {
  return /\brejected permission\b|\bpermission (?:was )?(?:denied|rejected)\b/i.test(error);
}

export function denialsOf(rejected: readonly Rejected[], stderr: string): readonly Denial[] {
  const questions = [...stderr.matchAll(asked)].map(([, permission = '', pattern = '']) => ({
    permission,
    pattern,
  }));
  const count = Math.max(rejected.length, questions.length);
  const denials = Array.from({ length: count }, (_, at) => denial(rejected[at], questions[at])).flatMap(
    (one) => (one.cure?.kind === 'directory' && one.cure.write ? [one, alsoEdit(one)] : [one]),
  );
  return [...new Map(denials.map((one) => [one.message, one])).values()];
}

function denial(
  call: Rejected | undefined,
  question: { readonly permission: string; readonly pattern: string } | undefined,
): Denial {
  const what = question ? `${question.permission} (${question.pattern})` : (call?.file ?? '');
  const cure = question ? cureOf(question.permission, question.pattern, call) : cureOfCall(call);
  return {
    message: [call?.tool, what].filter(Boolean).join(': '),
    ...(call && { tool: call.tool }),
    ...(call?.file !== undefined && { file: call.file }),
    ...(cure && { cure }),
  };
}

function cureOf(permission: string, pattern: string, call: Rejected | undefined): Cure {
  switch (permission) {
    case 'edit':
      return { kind: 'access', access: 'edit' };
    case 'external_directory': {
      const [first = ''] = pattern.split(', ');
      const path = first.replace(/\/?\*+$/, '') || '/';
      return isAbsolute(path)
        ? { kind: 'directory', path, write: isWriting(call?.tool) }
        : { kind: 'access', access: 'all' };
    }
    default:
      return { kind: 'tool', tool: permission, access: 'all' };
  }
}

/** Asked about the folder first, it was not yet asked about the change: one launch must allow both. */
function alsoEdit(denial: Denial): Denial {
  return { ...denial, message: `${denial.message}, to change it`, cure: { kind: 'access', access: 'edit' } };
}

/** Where stderr was lost: what the tool is says enough. */
function cureOfCall(call: Rejected | undefined): Cure {
  if (call?.file !== undefined && isAbsolute(call.file))
    return { kind: 'directory', path: dirname(call.file), write: isWriting(call.tool) };
  return isWriting(call?.tool)
    ? { kind: 'access', access: 'edit' }
    : { kind: 'tool', tool: call?.tool ?? 'bash', access: 'all' };
}

function isWriting(tool: string | undefined): boolean {
  return tool === 'write' || tool === 'edit' || tool === 'patch' || tool === 'apply_patch';
}

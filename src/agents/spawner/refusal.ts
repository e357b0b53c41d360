/** Why a command could not be started, in words. */
import type { AttemptOutcome } from '../../types/agent.ts';
import { messageOf, systemCode } from '../../types/errors.ts';
import { LaunchError } from './launcher.ts';
import { UnconfinableError } from './limits/keeper.ts';
import type { StartRequest } from './protocol.ts';

/** What becomes of an attempt whose start was refused with this error. */
export function refusalOf(error: unknown, request: StartRequest): AttemptOutcome {
  if (error instanceof UnconfinableError)
    return { kind: 'unconfinable', message: error.message, fix: error.fix };
  const code = error instanceof LaunchError ? error.code : (systemCode(error) ?? 'EINVAL');
  return { kind: 'spawn_failed', code, message: explainRefusal(code, messageOf(error), request) };
}

function explainRefusal(code: string, message: string, { argv, cwd }: StartRequest): string {
  const command = argv[0] ?? '';
  switch (code) {
    case 'ENOEXEC':
      return `"${message}" is no program: a script needs a first line such as "#!/bin/sh"`;
    case 'E2BIG':
      return `The arguments of "${command}" are too long for the system (128 KiB for one, ${total(argv)} bytes in all); hand over long texts as files`;
    case 'ENOENT':
      return message.startsWith('/')
        ? `"${message}" cannot be run: its interpreter, or the folder "${cwd}", does not exist`
        : message;
    case 'ENOTDIR':
      return `The working folder "${cwd}" is no folder`;
    case 'EACCES':
      return message.startsWith('/')
        ? `"${message}" may not be run, or the folder "${cwd}" may not be entered`
        : message;
    default:
      return `"${command}" could not be started (${code}): ${message}`;
  }
}

function total(argv: readonly string[]): number {
  return argv.reduce((sum, argument) => sum + Buffer.byteLength(argument) + 1, 0);
}

/**
 * What of a launch has to be known when its attempt is taken up after a crash: written beside the attempt, read back then.
 * The agent could write there, so that what is read is taken as text to be shown, in known fields alone: on a record other
 * fields say how a person resumes a session and what the next launch is given.
 */
import { dirname, join } from 'node:path';
import type { Correction } from '../../types/agent-cli.ts';
import { readPlain } from '../plain-file.ts';
import type { CliKind } from './kind.ts';
import type { Plan } from './plan.ts';
import { listOf, objectOf, textOf } from './reading/values.ts';

export interface Launched {
  readonly record: Plan['record'];
  readonly cwd: string;
  readonly lastMessageFile?: string;
}

const name = 'launch.json';
const maxBytes = 4 << 20;

export function launchedOf({ record, cwd, launch }: Plan): Launched {
  const { lastMessageFile } = launch;
  return { record, cwd, ...(lastMessageFile !== undefined && { lastMessageFile }) };
}

/** The file that keeps it, with its content. */
export function launchedFile(launched: Launched, workDir: string): readonly [string, string] {
  return [join(workDir, name), JSON.stringify(launched)];
}

export function readLaunched({ name: kind }: Pick<CliKind, 'name'>, workDir: string): Launched {
  const { record, cwd, lastMessageFile } = objectOf(parsed(readPlain(join(workDir, name), maxBytes)));
  const { version, flags, correction } = objectOf(record);
  const last = textOf(lastMessageFile);
  const given = correctionIn(correction);
  return {
    record: {
      kind,
      ...(textOf(version) !== undefined && { version: textOf(version) as string }),
      flags: textsOf(flags),
      ...(given && { correction: given }),
    },
    cwd: textOf(cwd) ?? '',
    ...(last !== undefined && dirname(last) === workDir && { lastMessageFile: last }),
  };
}

/** Whatever stands there, the ceiling bounds it at the next launch (`boundCorrection`). */
function correctionIn(value: unknown): Plan['record']['correction'] {
  const { access, directories, tools, toolAccess, skipGitCheck, withoutFlags, version, added, removed } =
    objectOf(value);
  if (!Array.isArray(added) || !Array.isArray(removed)) return undefined;
  return {
    ...(isAccess(access) && { access }),
    ...(Array.isArray(directories) && { directories: textsOf(directories) }),
    ...(Array.isArray(tools) && { tools: textsOf(tools) }),
    ...(isAccess(toolAccess) && { toolAccess }),
    ...(skipGitCheck === true && { skipGitCheck }),
    ...(Array.isArray(withoutFlags) && { withoutFlags: textsOf(withoutFlags) }),
    ...(textOf(version) !== undefined && { version: textOf(version) as string }),
    ...{ added: textsOf(added), removed: textsOf(removed) },
  };
}

function isAccess(value: unknown): value is NonNullable<Correction['access']> {
  return value === 'read' || value === 'edit' || value === 'all';
}

function textsOf(value: unknown): readonly string[] {
  return listOf(value).filter((one) => typeof one === 'string');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // It was not written, or is no more what it was.
    return undefined;
  }
}

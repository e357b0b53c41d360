/** What a program answers when it is asked for its version and its help, and how long that holds. */
import { messageOf } from '../../types/errors.ts';
import { projectVariable } from '../spawner/mark.ts';
import { askProgram, openThrowAwayHome } from './ask-program.ts';
import type { CliKind, CliVersion } from './kind.ts';
import { flagsIn, versionIn } from './printed.ts';

export const day = 24 * 3600_000;
/** Something that is broken is looked at again when its file changes, or after this time. */
const minute = 60_000;

/** What of a kind is asked with. */
export interface AskedKind
  extends Pick<
    CliKind,
    'name' | 'title' | 'programs' | 'install' | 'minimumVersion' | 'versionArgs' | 'helpArgs'
  > {
  /** Of a program whose versions are no `x.y.z`. */
  readonly versionPattern?: RegExp;
}

/** `untilMs`: until when it holds, in epoch milliseconds. `message` goes on a sentence whose subject is the program. */
export type VersionAnswer =
  | { readonly is: 'known'; readonly version: CliVersion; readonly untilMs: number }
  | { readonly is: 'broken'; readonly message: string; readonly fix?: string; readonly untilMs: number };

export interface AskVersionOptions {
  /** Where the program looks for others. */
  readonly path: string;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number | undefined;
  /** The project's. */
  readonly tag?: string | undefined;
}

/** Never throws. */
export async function askVersion(
  { versionArgs, helpArgs, versionPattern, install }: AskedKind,
  file: string,
  { path, signal, timeoutMs, tag }: AskVersionOptions,
): Promise<VersionAnswer> {
  const soon = () => Date.now() + minute;
  try {
    await using home = await openThrowAwayHome();
    const o = {
      ...{ path, home, signal },
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(tag !== undefined && { env: { [projectVariable]: tag } }),
    };
    const first = await askProgram(file, versionArgs, o);
    if (first.is === 'refused') return { is: 'broken', ...refusal(first.message, install), untilMs: soon() };
    const text = versionIn(first.stdout, first.stderr, versionPattern);
    if (text === undefined) {
      const message = `names no version when called with \`${versionArgs.join(' ')}\``;
      return { is: 'broken', message, untilMs: soon() };
    }
    if (helpArgs.length === 0) return { is: 'known', version: { text }, untilMs: Date.now() + day };
    const second = await askProgram(file, helpArgs, o);
    if (second.is === 'refused') return { is: 'known', version: { text }, untilMs: soon() };
    // opencode prints its help to stderr.
    const flags = flagsIn(`${second.stdout}\n${second.stderr}`);
    return { is: 'known', version: { text, flags }, untilMs: Date.now() + day };
  } catch (error) {
    // There was no folder to be made for its home, which says nothing about the program.
    return {
      is: 'broken',
      message: `could not be asked: ${messageOf(error)}`,
      fix: 'Make space in the folder for temporary files (TMPDIR).',
      untilMs: soon(),
    };
  }
}

/** What it says may have a remedy that a new installation is not. */
function refusal(message: string, install: string): { readonly message: string; readonly fix?: string } {
  const interpreter = /^exits with 127: .*?env: .?(\w+).?: No such file/.exec(message)?.[1];
  if (interpreter !== undefined)
    return {
      message: `needs \`${interpreter}\`, which is not on its PATH`,
      fix: `Add the folder of \`${interpreter}\` to the PATH of the daemon, or to \`env: { PATH: … }\` of the agent.`,
    };
  // Where npm is told to run no scripts, the same command would end the same way.
  if (/postinstall|ignore-scripts/i.test(message) && install.startsWith('npm install '))
    return {
      message,
      fix: `Install it again with its install scripts: \`${install} --ignore-scripts=false\``,
    };
  return { message };
}

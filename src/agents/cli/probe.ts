/**
 * Which program an agent CLI is on this machine, its version and the flags that its help names: asked of the program
 * itself once, remembered as long as its file is the same, also over restarts. Costs no money: nothing is sent to a model.
 *
 * It is asked again after a day: the shim of a version manager stays the same file, whichever version it starts.
 */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { performance } from 'node:perf_hooks';
import PQueue from 'p-queue';
import type { CliAgent } from '../../config/config.ts';
import type { KeptLedger } from '../../ledger/ledger.ts';
import { AppError } from '../../types/errors.ts';
import { fsPath } from '../../types/path-bytes.ts';
import { CommandLookup } from '../command-lookup.ts';
import { baseEnvironment, searchPath } from '../environment.ts';
import { projectVariable } from '../spawner/mark.ts';
import { askProgram } from './ask-program.ts';
import { type AskedKind, askVersion, type VersionAnswer } from './ask-version.ts';
import { keepVersion, recallVersion } from './kept-versions.ts';
import type { CliVersion } from './kind.ts';
import { isOlder } from './printed.ts';

export type { AskedKind } from './ask-version.ts';

export interface FoundCli {
  /** Absolute path of the program, as found (links are not followed). */
  readonly file: string;
  readonly version: CliVersion;
}

export interface ProbeOptions {
  /** Environment that the programs are asked in; its PATH is where they are looked for. */
  readonly env: NodeJS.ProcessEnv;
  readonly projectDir: string;
  /** Where answers survive a restart. Absent: they are asked for anew. */
  readonly kept?: Pick<KeptLedger, 'get' | 'put'>;
  /** The project's: by it a later daemon finds, and ends, what this one had asked when it was killed. */
  readonly tag?: string;
  /** How long a program may take to answer. Default: 30 s: some need 4 s where others work, too. */
  readonly timeoutMs?: number;
}

/** Starting one takes up to a second of CPU time; more at once only make each other slow. */
const atOnce = 2;
const unpackMs = 60_000;
const rememberedAtMost = 100;
/** An answer is thrown away when the program was replaced while it was asked; after so many it is given up. */
const maxAsks = 3;

interface Remembered {
  /** Of the program when it was asked. */
  readonly stamp: string | undefined;
  readonly answer: Promise<VersionAnswer>;
  /** Of `performance.now()`; infinite while it is being asked. */
  untilMono: number;
}

export type AskedAgent = Pick<CliAgent, 'name' | 'env' | 'cli'>;

interface NotFound {
  readonly is: 'missing' | 'unusable';
  /** Where something is that cannot be used. */
  readonly file?: string;
  readonly message: string;
  readonly fix: string;
}

export type LookedFor = ({ readonly is: 'found' } & FoundCli) | NotFound;

export class CliProbe implements Disposable {
  readonly #options: ProbeOptions;
  readonly #base: Readonly<Record<string, string>>;
  readonly #lookup = new CommandLookup();
  readonly #queue = new PQueue({ concurrency: atOnce });
  readonly #remembered = new Map<string, Remembered>();
  /** Program and place → the stamp of the program that was started there. */
  readonly #unpacked = new Map<string, string | undefined>();
  readonly #stopping = new AbortController();

  constructor(options: ProbeOptions) {
    this.#options = options;
    this.#base = baseEnvironment(options.env);
  }

  /**
   * @throws {AppError} `AGENT_UNAVAILABLE`: not installed, does not start, says no version, older than `minimumVersion`;
   * with the command that installs it as fix.
   */
  async find(kind: AskedKind, agent: AskedAgent): Promise<FoundCli> {
    const looked = await this.look(kind, agent);
    if (looked.is === 'found') return looked;
    const message = `Agent "${agent.name}" cannot run: ${looked.message}`;
    throw new AppError('AGENT_UNAVAILABLE', message, { fix: looked.fix });
  }

  /** The same as a value. Never throws. */
  async look(kind: AskedKind, agent: AskedAgent): Promise<LookedFor> {
    const path = searchPath(this.#base, agent);
    const located = this.#locate(kind, agent, path);
    if ('fix' in located) return located;
    const { file } = located;
    const known = await this.#know(kind, file, path);
    const fix = `Install it again: \`${kind.install}\``;
    if (known.is === 'broken')
      return { is: 'unusable', file, message: `"${file}" ${known.message}`, fix: known.fix ?? fix };
    const { version } = known;
    if (!isOlder(version.text, kind.minimumVersion)) return { is: 'found', file, version };
    return {
      ...{ is: 'unusable', file, fix: `Update it: \`${kind.install}\`` },
      message: `${kind.title} ${version.text} is too old ("${file}"); the oldest that can be used is ${kind.minimumVersion}`,
    };
  }

  /**
   * Starts it once in the home that it works in, so that it unpacks itself there; again when its file, or what it unpacked,
   * is another. What goes wrong shows when it is used.
   * @param place What it unpacks. Absolute.
   */
  async unpack(
    file: string,
    args: readonly string[],
    { place, home, path }: { readonly place: string; readonly home: string; readonly path: string },
  ): Promise<void> {
    const stamp = stampOf(file);
    const key = [file, place].join('\0');
    if (this.#unpacked.get(key) === stamp && existsSync(fsPath(place))) return;
    const { tag } = this.#options;
    const env = { TMPDIR: tmpdir(), ...(tag !== undefined && { [projectVariable]: tag }) };
    const signal = this.#stopping.signal;
    const o = { path, home: { dir: home }, env, signal, timeoutMs: unpackMs };
    const answer = await this.#queue.add(() => askProgram(file, args, o));
    if (answer.is === 'answered') this.#unpacked.set(key, stamp);
  }

  /** Ends the programs that are being asked; who waits is refused. */
  [Symbol.dispose](): void {
    this.#stopping.abort();
  }

  #locate(kind: AskedKind, agent: AskedAgent, path: string): { readonly file: string } | NotFound {
    const { program } = agent.cli;
    const names = program === undefined ? kind.programs : [program];
    let refused: { readonly message: string; readonly isFile?: true; readonly fix?: string } | undefined;
    for (const name of names) {
      const found = this.#lookup.find(name, path, this.#options.projectDir);
      if ('file' in found) return { file: found.file };
      // What stands there and may not be run says more than what is not there.
      if (refused === undefined || found.isFile) refused = found;
    }
    const message = refused?.message ?? '';
    if (refused?.fix !== undefined) return { is: 'unusable', message, fix: refused.fix };
    const where = `\`agents.${agent.name}.program\``;
    if (program !== undefined)
      return {
        ...{ is: 'missing', message },
        fix: `Name another in ${where}, or take that away: it is then looked for on PATH. PATH is ${path}`,
      };
    return {
      is: 'missing',
      message: `${kind.title} is not installed: ${names.map((name) => `"${name}"`).join(' or ')} is in none of the folders on PATH`,
      fix: `Install it: \`${kind.install}\`. Or write where it is in ${where}. PATH is ${path}`,
    };
  }

  #know(kind: AskedKind, file: string, path: string): Promise<VersionAnswer> {
    const key = [kind.name, file, path].join('\0');
    const stamp = stampOf(file);
    const before = this.#remembered.get(key);
    if (before && before.stamp === stamp && performance.now() < before.untilMono) return before.answer;
    const answer = this.#recallOrAsk(kind, file, path);
    const entry: Remembered = { stamp, answer, untilMono: Number.POSITIVE_INFINITY };
    answer.then(
      ({ untilMs }) => {
        entry.untilMono = performance.now() + untilMs - Date.now();
      },
      () => this.#remembered.delete(key),
    );
    if (this.#remembered.size >= rememberedAtMost) this.#remembered.clear();
    this.#remembered.set(key, entry);
    return answer;
  }

  async #recallOrAsk(kind: AskedKind, file: string, path: string): Promise<VersionAnswer> {
    const { kept, timeoutMs, tag } = this.#options;
    const recalled = kept && (await recallVersion(kept, kind, file, () => stampOf(file)));
    if (recalled) return recalled;
    for (let asks = 0; asks < maxAsks; asks += 1) {
      const stamp = stampOf(file);
      const o = { path, signal: this.#stopping.signal, timeoutMs, tag };
      const answer = await this.#queue.add(() => askVersion(kind, file, o));
      if (stampOf(file) !== stamp) continue;
      if (kept && answer.is === 'known' && stamp !== undefined)
        await keepVersion(kept, kind, file, stamp, answer);
      return answer;
    }
    return {
      is: 'broken',
      message: 'is being replaced again and again',
      fix: 'Wait for its update.',
      untilMs: Date.now() + 1_000,
    };
  }
}

/** Changes when what would be run changes: a link that leads elsewhere, a new file, other content. */
function stampOf(file: string): string | undefined {
  try {
    const real = realpathSync(fsPath(file));
    const { dev, ino, size, mtimeMs, ctimeMs } = statSync(real);
    return [real, dev, ino, size, mtimeMs, ctimeMs].join(' ');
  } catch {
    return undefined;
  }
}

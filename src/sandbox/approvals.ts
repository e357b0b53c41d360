/**
 * Commands that wait for a person: what the shims of running attempts ask, and the answers. Requests are files in the
 * job's folder, looked for while an attempt runs that may ask; a socket would have to be shown to every sandbox.
 */
import { EventEmitter } from 'node:events';
import { constants, readdirSync, writeFileSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../types/errors.ts';
import { fsPath, pathFromBytes } from '../types/path-bytes.ts';
import { printableName } from '../types/printable-name.ts';

export interface Approval {
  /** `<job>.<attempt>.<number>`. */
  readonly id: string;
  readonly jobId: string;
  readonly agent: string;
  /** For people: control characters are escaped. What the agent says it wants to run: it could run another. */
  readonly command: string;
  readonly cwd: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

export interface ApprovalsOptions {
  readonly now: () => number;
  /** Default 500 ms. */
  readonly pollMs?: number;
}

interface Watched {
  readonly jobId: string;
  readonly attempt: number;
  readonly agent: string;
  readonly dir: string;
  readonly seen: Map<string, Approval | 'answered' | 'unreadable'>;
}

/** More requests of one attempt than this are not looked at: they wait until others are answered. */
const maxRequests = 100;
const maxRequestBytes = 64 << 10;
const maxWords = 200;

/** Emits `wanted` and `answered` (also when the attempt ended without an answer), each with the `Approval`. */
export class Approvals extends EventEmitter<{ wanted: [Approval]; answered: [Approval] }> {
  readonly #options: ApprovalsOptions;
  readonly #watched = new Set<Watched>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ApprovalsOptions) {
    super();
    this.#options = options;
  }

  /** Makes the folder for the requests of an attempt. Call before it starts; dispose when it has ended. */
  async watch(attempt: {
    jobId: string;
    attempt: number;
    agent: string;
    workDir: string;
  }): Promise<Disposable> {
    const dir = approvalsDir(attempt.workDir);
    await mkdir(join(dir, 'answers'), { recursive: true, mode: 0o700 });
    const watched: Watched = { ...attempt, dir, seen: new Map() };
    this.#watched.add(watched);
    this.#schedule();
    return {
      [Symbol.dispose]: () => {
        if (!this.#watched.delete(watched)) return;
        for (const found of watched.seen.values())
          if (typeof found === 'object') this.emit('answered', found);
        if (this.#watched.size === 0) this.#stop();
      },
    };
  }

  /** Oldest first. */
  list(): readonly Approval[] {
    const found = [...this.#watched].flatMap(({ seen }) => [...seen.values()]);
    return found.filter((one) => typeof one === 'object').toSorted((a, b) => a.at - b.at);
  }

  /**
   * @param id Of an approval, or of a job that asks for exactly one.
   * @throws {AppError} `NOT_FOUND`, `NOT_POSSIBLE`.
   */
  answer(id: string, verdict: 'approve' | 'refuse'): Approval {
    const matching = this.list().filter((one) => one.id === id || one.jobId === id);
    const [approval] = matching;
    if (approval === undefined)
      throw new AppError('NOT_FOUND', `Nothing waits for an approval under "${id}"`, {
        fix: 'List what waits with `sluice status`; an attempt that has ended asks no more.',
      });
    if (matching.length > 1)
      throw new AppError('NOT_POSSIBLE', `Job "${id}" asks for ${matching.length} approvals`, {
        fix: `Name one of them: ${matching.map((one) => one.id).join(', ')}`,
      });
    for (const { jobId, attempt, dir, seen } of this.#watched)
      for (const [n, found] of seen) {
        if (found !== approval || `${jobId}.${attempt}.${n}` !== approval.id) continue;
        // The agent may have put a link there where it has no sandbox.
        writeFileSync(fsPath(join(dir, 'answers', n)), `${verdict}\n`, { flag: 'wx', mode: 0o600 });
        seen.set(n, 'answered');
      }
    this.emit('answered', approval);
    return approval;
  }

  [Symbol.dispose](): void {
    this.#stop();
    this.#watched.clear();
  }

  #schedule(): void {
    this.#timer ??= setInterval(() => void this.#look(), this.#options.pollMs ?? 500).unref();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #look(): Promise<void> {
    for (const watched of this.#watched) {
      const { jobId, attempt, agent, dir, seen } = watched;
      for (const name of requestsIn(dir)) {
        const n = name.slice(0, -'.request'.length);
        if (seen.has(n) || seen.size >= maxRequests) continue;
        const request = await readRequest(join(dir, name));
        if (request === 'unfinished' || !this.#watched.has(watched) || seen.has(n)) continue;
        if (request === undefined) {
          seen.set(n, 'unreadable');
          continue;
        }
        const at = this.#options.now();
        const approval: Approval = { id: `${jobId}.${attempt}.${n}`, jobId, agent, ...request, at };
        seen.set(n, approval);
        this.emit('wanted', approval);
      }
    }
  }
}

export function approvalsDir(workDir: string): string {
  return join(workDir, 'approvals');
}

function requestsIn(dir: string): string[] {
  try {
    return readdirSync(fsPath(dir))
      .filter((name) => /^\d+\.request$/.test(name))
      .slice(0, maxRequests * 2);
  } catch {
    return [];
  }
}

async function readRequest(
  path: string,
): Promise<{ readonly cwd: string; readonly command: string } | 'unfinished' | undefined> {
  try {
    await using file = await open(
      fsPath(path),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    const stat = await file.stat();
    if (!stat.isFile() || stat.size > maxRequestBytes) return undefined;
    const [count = '', cwd = '', , ...rest] = fieldsOf(await file.readFile());
    const words = rest.slice(0, -1);
    if (words.length + 2 !== Number(count)) return 'unfinished';
    const more = words.length > maxWords ? ` … (${words.length} words)` : '';
    return {
      cwd: printableName(cwd),
      command: words.slice(0, maxWords).map(shown).join(' ') + more,
    };
  } catch {
    return undefined;
  }
}

function fieldsOf(content: Buffer): string[] {
  const fields: string[] = [];
  let from = 0;
  for (let end = content.indexOf(0); end >= 0; end = content.indexOf(0, from)) {
    fields.push(pathFromBytes(content.subarray(from, end)));
    from = end + 1;
  }
  fields.push(pathFromBytes(content.subarray(from)));
  return fields;
}

/** A word as a shell would want it. */
function shown(word: string): string {
  const text = printableName(word);
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

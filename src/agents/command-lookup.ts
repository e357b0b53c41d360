/**
 * Where commands are on PATH. A look costs two dozen stats where PATH is long, and each attempt asks several times, so that
 * a folder further ahead is looked into again only after a second. The file itself is looked at each time: one that was
 * replaced, removed or locked meanwhile is another answer at once.
 */
import { performance } from 'node:perf_hooks';
import { type FoundCommand, findCommand, judge } from './find-command.ts';

const keptMs = 1_000;
const keptAtMost = 100;

export class CommandLookup {
  readonly #found = new Map<string, { readonly file: string; readonly untilMono: number }>();

  /** As `findCommand`. */
  find(command: string, path: string, cwd: string): FoundCommand {
    const key = `${command}\0${path}\0${cwd}`;
    const now = performance.now();
    const known = this.#found.get(key);
    if (known !== undefined && now < known.untilMono) {
      const still = judge(known.file);
      if ('file' in still) return still;
    }
    const found = findCommand(command, path, cwd);
    if (this.#found.size >= keptAtMost) this.#found.clear();
    if ('file' in found) this.#found.set(key, { file: found.file, untilMono: now + keptMs });
    return found;
  }
}

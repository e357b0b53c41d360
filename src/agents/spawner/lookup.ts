/** Where commands are on PATH. A look costs two dozen stats where PATH is long, so what was found counts for a second. */
import { performance } from 'node:perf_hooks';
import { type FoundCommand, findCommand } from '../find-command.ts';
import type { StartRequest } from './protocol.ts';

const keptMs = 1_000;
const keptAtMost = 100;

export class CommandLookup {
  readonly #found = new Map<string, { readonly found: FoundCommand; readonly untilMono: number }>();

  find({ argv, env, cwd }: StartRequest): FoundCommand {
    const key = `${argv[0]}\0${env.PATH}\0${cwd}`;
    const now = performance.now();
    const known = this.#found.get(key);
    if (known !== undefined && now < known.untilMono) return known.found;
    const found = findCommand(argv[0] ?? '', env.PATH ?? '', cwd);
    if (this.#found.size >= keptAtMost) this.#found.clear();
    if ('file' in found) this.#found.set(key, { found, untilMono: now + keptMs });
    return found;
  }
}

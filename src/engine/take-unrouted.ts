/** After a reload: files that no rule wanted, and that one wants now, are taken in. */
import { join } from 'node:path';
import { stampOf } from '../cache/fingerprint.ts';
import type { Engine } from './engine.ts';

/** @returns how many were taken in. */
export async function takeUnrouted({
  ledger,
  coordinator,
  config,
}: Pick<Engine, 'ledger' | 'coordinator' | 'config'>): Promise<number> {
  let taken = 0;
  for (const { root, path } of await ledger.files.list({ disposition: 'unrouted', limit: 1_000_000 })) {
    const dir = config().roots.find(({ name }) => name === root)?.dir;
    if (dir === undefined || !coordinator.recipes.route(path)) continue;
    const stamp = stampOf(join(dir, path));
    if (!stamp) continue;
    await coordinator.submit({ type: 'changed', root, path, stamp, found: 'sweep' });
    taken += 1;
  }
  return taken;
}

/**
 * Keys of features that this version does not have. They are refused by name, so that nobody believes in a limit or a
 * confinement that does not act, and so that the message is better than "unknown key".
 */
import type { Findings } from './source.ts';

const unsupportedKeys: readonly string[] = ['server'];

/** Reports every such key and takes it out of `data`, so that nothing later reports it a second time. */
export function refuseUnsupported(data: Record<string, unknown>, findings: Findings): void {
  for (const key of unsupportedKeys) {
    if (!Object.hasOwn(data, key)) continue;
    findings.add(
      'error',
      'NOT_SUPPORTED_YET',
      { path: [key], key: true },
      `this version does not have \`${key}\``,
      `Remove \`${key}\`: it would have no effect.`,
    );
    delete data[key];
  }
  const roots: readonly unknown[] = Array.isArray(data.watch) ? data.watch : [];
  for (const [index, root] of roots.entries()) {
    if (!isMapping(root) || !Array.isArray(root.on) || !root.on.includes('removed')) continue;
    findings.error(
      'NOT_SUPPORTED_YET',
      ['watch', index, 'on', root.on.indexOf('removed')],
      'this version starts no work for a file that was removed',
      'Write `on: [added, changed]`; a removal cancels a job that has not started, results stay.',
    );
    root.on = root.on.filter((type) => type !== 'removed');
    if ((root.on as unknown[]).length === 0) delete root.on;
  }
}

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

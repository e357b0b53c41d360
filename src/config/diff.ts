/** What a reload changed, for the audit. Roots, rules and agents are compared by name: a moved rule is not a new one. */
import { isDeepStrictEqual } from 'node:util';
import type { Config } from './config.ts';
import { isMapping } from './unsupported.ts';
import { configView } from './view.ts';

export interface ConfigChange {
  /** `agents.lint.timeout`, `routing_rules.python`; a key that holds a dot is written as it is. */
  readonly path: string;
  /** Absent: it was not there before, or is not there any more. */
  readonly before?: unknown;
  readonly after?: unknown;
}

/** Secrets stay references: both sides are what `configView` shows. */
export function diffConfig(before: Config, after: Config): ConfigChange[] {
  const changes: ConfigChange[] = [];
  const [old, now] = [byName(configView(before)), byName(configView(after))];
  compare([], old, now, changes);
  const order = (config: Config) => config.rules.map((rule) => rule.name);
  const [oldOrder, newOrder] = [order(before), order(after)];
  if (!isDeepStrictEqual(oldOrder, newOrder) && isDeepStrictEqual(oldOrder.toSorted(), newOrder.toSorted()))
    changes.push({ path: 'routing_rules', before: oldOrder, after: newOrder });
  return changes;
}

function byName(view: ReturnType<typeof configView>): Record<string, unknown> {
  const keyed = (items: readonly { readonly name: string }[]) =>
    Object.fromEntries(items.map(({ name, ...item }) => [name, item]));
  return { ...view, watch: keyed(view.watch), routing_rules: keyed(view.routing_rules) };
}

function compare(path: readonly string[], before: unknown, after: unknown, changes: ConfigChange[]): void {
  if (isDeepStrictEqual(before, after)) return;
  if (isMapping(before) && isMapping(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)]))
      compare([...path, key], before[key], after[key], changes);
    return;
  }
  changes.push({
    path: path.join('.'),
    ...(before !== undefined && { before }),
    ...(after !== undefined && { after }),
  });
}

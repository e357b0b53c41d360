/**
 * A configuration is replaced whole and never changed: everything in it is frozen. `Object.freeze` does not reach the
 * content of maps and sets, so theirs refuse to change.
 */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  const inner = value instanceof Map ? value.values() : value instanceof Set ? [] : Object.values(value);
  for (const part of inner) deepFreeze(part);
  return value;
}

export function frozenMap<K, V>(entries: Iterable<readonly [K, V]>): ReadonlyMap<K, V> {
  return lock(new Map(entries), ['set', 'delete', 'clear']);
}

export function frozenSet<T>(values: Iterable<T>): ReadonlySet<T> {
  return lock(new Set(values), ['add', 'delete', 'clear']);
}

function lock<T extends object>(collection: T, methods: readonly string[]): T {
  for (const method of methods)
    Object.defineProperty(collection, method, {
      value: () => {
        throw new TypeError('A configuration cannot be changed');
      },
    });
  return collection;
}

/** Part of the cache key of every inspected file: raised whenever the same file would give another report. */
export const inspectVersion = '1';

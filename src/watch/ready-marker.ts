/**
 * `ready: "{name}.done"`: a file counts only when its marker stands beside it. `{name}` is the file's name, `{stem}` the
 * name without its last extension; a pattern without either releases the whole folder. Markers are never inputs.
 */
import { parse } from 'node:path';

/** The marker's name for a file. */
export function markerOf(pattern: string, name: string): string {
  return pattern.replaceAll('{name}', name).replaceAll('{stem}', parse(name).name);
}

export function isMarker(pattern: string, name: string): boolean {
  const seen = new Map<string, number>();
  const source = pattern.split(/(\{name\}|\{stem\})/).map((part) => {
    if (part !== '{name}' && part !== '{stem}') return RegExp.escape(part);
    const group = seen.get(part);
    if (group !== undefined) return `\\${group}`;
    seen.set(part, seen.size + 1);
    return '(.+)';
  });
  return new RegExp(`^${source.join('')}$`, 's').test(name);
}

/** Which of `names` a marker that arrived releases. */
export function releasedBy(pattern: string, marker: string, names: readonly string[]): string[] {
  return names.filter((name) => name !== marker && markerOf(pattern, name) === marker);
}

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
  return captured(pattern, name) !== undefined;
}

/** Which of `names` a marker that arrived releases. */
export function releasedBy(pattern: string, marker: string, names: readonly string[]): string[] {
  return names.filter((name) => name !== marker && markerOf(pattern, name) === marker);
}

function captured(pattern: string, name: string): true | undefined {
  const place = /\{(?:name|stem)\}/.exec(pattern);
  if (place === null) return pattern === name ? true : undefined;
  const before = pattern.slice(0, place.index);
  const after = pattern.slice(place.index + place[0].length);
  const inner = name.slice(before.length, name.length - after.length);
  return name.length > before.length + after.length &&
    name.startsWith(before) &&
    markerOf(pattern, placeholderFor(place[0], inner)) === name
    ? true
    : undefined;
}

/** A file name that the placeholder would have stood for. */
function placeholderFor(placeholder: string, inner: string): string {
  return placeholder === '{stem}' ? `${inner}.x` : inner;
}

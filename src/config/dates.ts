/** Days as the configuration writes them: `2026-07-01`, meant in UTC. */

/** The form of the text, as a regular expression in a JSON Schema. */
export const datePattern = '^\\d{4}-\\d{2}-\\d{2}$';

/** @returns Epoch milliseconds of its midnight; `undefined` when there is no such day. */
export function parseDate(text: string): number | undefined {
  if (!new RegExp(datePattern).test(text)) return undefined;
  const at = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(at) || formatDate(at) !== text ? undefined : at;
}

export function formatDate(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

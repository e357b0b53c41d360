/**
 * Amounts of bytes as the configuration writes them: one number, one unit. `KiB MiB GiB TiB` count in 1024s, `KB MB GB TB`
 * in 1000s, `B` is a byte. A bare number is refused: nobody can see whether it means bytes or megabytes.
 */
const unitBytes = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
} as const;
const written = /^(\d{1,15}(?:\.\d{1,6})?)(B|[KMGT]i?B)$/;

/** The same as a regular expression in a JSON Schema, for editors. */
export const sizePattern = '^\\d{1,15}(\\.\\d{1,6})?(B|[KMGT]i?B)$';

/** @returns Bytes, rounded down; `undefined` when the text is no size. */
export function parseSize(text: string): number | undefined {
  const match = written.exec(text);
  if (!match) return undefined;
  const bytes = Math.floor(Number(match[1]) * unitBytes[match[2] as keyof typeof unitBytes]);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** The shortest exact text, in the largest unit that divides it: `formatSize(2 ** 31)` is `2GiB`, `500_000` is `500KB`. */
export function formatSize(bytes: number): string {
  if (bytes === 0) return '0B';
  for (const unit of ['TiB', 'TB', 'GiB', 'GB', 'MiB', 'MB', 'KiB', 'KB'] as const)
    if (bytes % unitBytes[unit] === 0) return `${bytes / unitBytes[unit]}${unit}`;
  return `${bytes}B`;
}

/** For the generated validator. `or`: words that are allowed instead of a size. */
export function isSize(
  text: string,
  minimumBytes: number,
  maximumBytes: number,
  or: readonly string[],
): boolean {
  if (or.includes(text)) return true;
  const bytes = parseSize(text);
  return bytes !== undefined && bytes >= minimumBytes && bytes <= maximumBytes;
}

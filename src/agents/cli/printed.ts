/** What programs print of themselves: versions and flags. Pure. */

const threeNumbers = /(?<![\d.])\d{1,9}\.\d{1,9}\.\d{1,9}(?!\d)/;

/** The first `x.y.z`; of warnings on stderr only where stdout has none. */
export function versionIn(stdout: string, stderr = '', pattern = threeNumbers): string | undefined {
  return pattern.exec(stdout)?.[0] ?? pattern.exec(stderr)?.[0];
}

/** Compares `x.y.z` number by number. */
export function isOlder(version: string, minimum: string): boolean {
  const [own, least] = [version, minimum].map((text) => text.split('.').map(Number)) as [number[], number[]];
  for (const [at, number] of least.entries()) {
    const difference = (own[at] ?? 0) - number;
    if (difference !== 0) return difference < 0;
  }
  return false;
}

const flag = /(?<![\w-])(--(?:\[no-\])?[A-Za-z][\w-]{0,60}|-[A-Za-z0-9])(?![\w-])/g;
const atMost = 1_000;

/** Every flag that a help text names: `--json`, `-C`; of `--[no-]color` both. Those of its examples, too. */
export function flagsIn(help: string): ReadonlySet<string> {
  const flags = new Set<string>();
  for (const [text] of help.matchAll(flag)) {
    if (flags.size >= atMost) break;
    if (text.startsWith('--[no-]')) flags.add(`--${text.slice(7)}`).add(`--no-${text.slice(7)}`);
    else flags.add(text);
  }
  return flags;
}

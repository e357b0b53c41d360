/** The closing line of a torture test. */
export function say(what: string, beganMs: number): void {
  console.log(`  ${what} (${((performance.now() - beganMs) / 1_000).toFixed(1)} s)`);
}

/** Something at a point of time, also one that is further away than a timer can count. */
const LONGEST_MS = 2 ** 31 - 1;

/** @param at Epoch milliseconds. @returns what forgets it. */
export function wakeAt(at: number, now: () => number, action: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const leftMs = at - now();
    timer = setTimeout(leftMs > LONGEST_MS ? arm : action, Math.min(Math.max(0, leftMs), LONGEST_MS));
  };
  arm();
  return () => clearTimeout(timer);
}

/** "Did you mean": the nearest of the allowed words, when it is near enough to be a slip. */
import { distance } from 'fastest-levenshtein';

export function nearest(word: string, allowed: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(word.length * 0.4)) + 1;
  const plain = (text: string) => text.toLowerCase().replaceAll(/[-_ ]/g, '');
  for (const candidate of allowed) {
    const beginsAlike = word.length >= 3 && plain(candidate).startsWith(plain(word));
    const steps = plain(candidate) === plain(word) ? 0 : beginsAlike ? 1 : distance(word, candidate);
    if (steps < least && steps < Math.max(word.length, candidate.length)) [best, least] = [candidate, steps];
  }
  return best;
}

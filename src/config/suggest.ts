/** "Did you mean", with the list of what is allowed. */
import { nearest } from '../types/nearest.ts';

export { nearest };

/** `did you mean "x"? Allowed keys: …`: the first half only when there is something near. */
export function suggest(word: string, allowed: readonly string[], listLabel: string): string {
  const near = nearest(word, allowed);
  const list =
    allowed.length > 0
      ? `${listLabel}: ${allowed.slice(0, 40).join(', ')}${allowed.length > 40 ? ', …' : ''}.`
      : '';
  return [near === undefined ? '' : `did you mean "${near}"?`, list].filter(Boolean).join(' ');
}

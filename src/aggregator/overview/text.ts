/** Messages in a page: they keep their lines, their `commands` look like some, and what cannot be seen is written out. */
import { shownName } from '../shown-name.ts';
import { type Html, html } from './html.ts';

export function shownText(text: string): Html {
  return html`${plainText(text)
    .trim()
    .split('`')
    .map((part, i, all) =>
      i % 2 === 1 && i < all.length - 1 ? html`<code>${part}</code>` : html`${i % 2 === 1 ? '`' : ''}${part}`,
    )}`;
}

/** Lines stay lines. */
export function plainText(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .split('\n')
    .map((line) => line.split('\t').map(shownName).join('\t'))
    .join('\n');
}

/** Text of no special kind: its first lines. */
import type { Kind } from '../kind.ts';
import { eachLine } from '../lines.ts';
import { blocks, count, fence } from '../markup.ts';
import type { TextSubject } from '../subject.ts';

const titles: Readonly<Record<string, string>> = {
  'text/html': 'HTML',
  'application/xml': 'XML',
  'application/rtf': 'RTF',
  'message/rfc822': 'E-mail message',
  'text/calendar': 'Calendar',
  'text/vcard': 'Contacts',
};

export const plain: Kind<TextSubject> = {
  claims: () => true,
  describe: ({ type, text }) => {
    const lines: string[] = [];
    let total = 0;
    eachLine(text.value, (line) => {
      total += 1;
      if (lines.length < 20) lines.push(line);
    });
    const title = Object.hasOwn(titles, type.mime) ? titles[type.mime] : 'Text';
    return {
      headline: `${title}, ${text.complete ? '' : 'at least '}${count(total, 'line')}`,
      body: blocks(
        `## First lines`,
        fence(lines),
        total > lines.length ? `… and ${count(total - lines.length, 'more line')}.` : '',
      ),
    };
  },
};

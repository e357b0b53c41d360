/** The part of the report that every file has: type, size, and the figures of its text. */
import { blocks, code, count, number, size, table } from './markup.ts';
import type { Subject, Text } from './subject.ts';
import { textFacts } from './text-facts.ts';

export function general({ type, bytes, text, extension }: Subject): string {
  const from = {
    content: 'by its content',
    extension: 'by its extension; the content is text',
    guess: 'unknown',
  }[type.from];
  const rows: string[][] = [
    ['Type', `${code(type.mime)} (${from})`],
    ['Size', size(bytes)],
  ];
  const contradiction =
    type.promised === undefined
      ? ''
      : `The extension ${code(extension)} promises ${code(type.promised)}, but the content is something else.`;
  if (text !== undefined) rows.push(...textRows(text));
  return blocks(table(['', ''], rows), contradiction);
}

function textRows(text: Text): string[][] {
  const facts = textFacts(text.value);
  const scope = text.complete ? '' : ` in the first ${count(text.value.length, 'character')}`;
  const { lf, crlf, cr } = facts.ends;
  const ends = [
    lf > 0 ? `LF × ${number(lf)}` : '',
    crlf > 0 ? `CRLF × ${number(crlf)}` : '',
    cr > 0 ? `CR × ${number(cr)}` : '',
  ].filter((end) => end !== '');
  const { trailingSpace, unprintable, longest } = facts;
  return [
    [
      'Encoding',
      `${code(text.encoding)}${text.bom ? ' with a byte order mark' : ''}${text.guessed ? ' (a guess)' : ''}${text.invalid > 0 ? `; ${count(text.invalid, 'place')} not valid in it` : ''}`,
    ],
    [
      'Lines',
      `${number(facts.lines)}${scope}; words: ${number(facts.words)}; longest line: ${count(longest.length, 'character')} (line ${number(longest.line)})`,
    ],
    [
      'Line ends',
      `${ends.length === 0 ? 'none' : ends.length === 1 ? ends.join('') : `mixed: ${ends.join(', ')}`}${facts.finalNewline ? '' : '; none after the last line'}`,
    ],
    ...(trailingSpace.lines > 0
      ? [
          [
            'Trailing space',
            `${count(trailingSpace.lines, 'line')}, first line ${number(trailingSpace.first)}`,
          ],
        ]
      : []),
    ...(unprintable.count > 0
      ? [
          [
            'Unprintable',
            `${count(unprintable.count, 'character')}, first ${code(unprintable.char)} in line ${number(unprintable.first)}`,
          ],
        ]
      : []),
    ...restRow(text),
  ];
}

function restRow({ rest, complete }: Text): string[][] {
  if (complete || rest.bytes === 0) return [];
  const counted =
    rest.counted === 0 ? '' : `; ${count(rest.newlines, 'more line end')} in the next ${size(rest.counted)}`;
  return [['Not analysed', `${size(rest.bytes)} at the end${counted}`]];
}

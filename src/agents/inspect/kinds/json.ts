/** JSON: valid or where not, shape, double keys. */
import type { Kind, Section } from '../kind.ts';
import { blocks, code, count, list, number } from '../markup.ts';
import { excerpt, placeOf } from '../place.ts';
import { Shape } from '../shape.ts';
import type { TextSubject } from '../subject.ts';
import { type Duplicates, scanJson } from './json-scanner.ts';

export const json: Kind<TextSubject> = {
  claims: ({ type, extension, text }) =>
    /^application\/(json|.+\+json)$/.test(type.mime) || (extension === '' && looksLikeJson(text.value)),
  describe: ({ text: { value, complete } }) => {
    const shape = new Shape();
    const { error, duplicates, moreAt } = scanJson(value, shape);
    if (error === undefined || (!complete && error.offset >= value.length))
      return valid(value, shape, duplicates, complete);
    const { line, column } = placeOf(value, error.offset);
    return {
      headline: `JSON, not valid: line ${line}, column ${column}: ${error.message}`,
      body: blocks(
        '## JSON',
        `**Not valid**, line ${line}, column ${column}: ${error.message}.`,
        excerpt(value, error.offset),
        moreAt === undefined
          ? ''
          : 'Another value follows the first one: if every line is meant to be a value, name the file `.jsonl`.',
        `Up to there: ${shape.top()}.`,
        shape.report(),
      ),
    };
  },
};

function valid(text: string, shape: Shape, duplicates: Duplicates, complete: boolean): Section {
  const doubled = duplicates.total === 0 ? '' : `, ${count(duplicates.total, 'double key')}`;
  const shown = duplicates.first.map(({ key, offset }) => `line ${placeOf(text, offset).line}: ${code(key)}`);
  const verdict = complete ? 'valid' : 'valid as far as it was read';
  return {
    headline: `JSON, ${verdict}, ${shape.top()}${doubled}`,
    body: blocks(
      '## JSON',
      `JSON, ${verdict}: ${shape.top()}.`,
      duplicates.total === 0
        ? ''
        : blocks(
            `Keys that occur twice in one object (${number(duplicates.total)}); most programs keep only the last value:`,
            list(shown),
          ),
      shape.report(),
    ),
  };
}

// Without an extension only what begins like JSON's containers is tried; `scanJson` of prose would end at once anyway.
function looksLikeJson(text: string): boolean {
  return (
    /^\s{0,100}[{[]\s{0,100}["{[\]}\d]/.test(text.slice(0, 300)) &&
    scanJson(text, new Shape()).error === undefined
  );
}

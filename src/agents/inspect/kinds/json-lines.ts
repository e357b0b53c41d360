/** JSON Lines: every line a JSON value; the lines that are none, and the shape of the others taken together. */
import { bounds } from '../bounds.ts';
import type { Kind } from '../kind.ts';
import { eachLine } from '../lines.ts';
import { blocks, count, list, number } from '../markup.ts';
import { Shape } from '../shape.ts';
import type { TextSubject } from '../subject.ts';
import { scanJson } from './json-scanner.ts';

export const jsonLines: Kind<TextSubject> = {
  claims: ({ type }) => type.mime === 'application/jsonl',
  describe: ({ text: { value, complete } }) => {
    const shape = new Shape();
    const bad: string[] = [];
    let values = 0;
    let broken = 0;
    eachLine(value, (line, n, last) => {
      if (n > bounds.lines) return false;
      if (line.trim() === '' || (last && !complete)) return true;
      const { error } = scanJson(line, shape, '[]');
      if (error === undefined) values += 1;
      else {
        broken += 1;
        if (bad.length < 20)
          bad.push(`line ${number(n)}, column ${number(error.offset + 1)}: ${error.message}`);
      }
      return true;
    });
    const verdict = broken === 0 ? 'all valid' : count(broken, 'bad line');
    return {
      headline: `JSON Lines, ${count(values + broken, 'line')}, ${verdict}`,
      body: blocks(
        '## JSON Lines',
        `${count(values, 'valid value')}, ${count(broken, 'bad line')} (at most ${number(bounds.lines)} lines are read).`,
        list(bad),
        broken > bad.length ? `… and ${number(broken - bad.length)} more.` : '',
        shape.report(),
      ),
    };
  },
};

/** What the functions over texts and lists do; what they take has been checked. */
import type { Value } from './scope.ts';
import { type Budget, kindOf, textOf, ValueProblem } from './values.ts';

export function contains(within: Value, value: Value): boolean {
  if (within === null) return false;
  const kind = kindOf(value);
  if (typeof within === 'string') {
    if (kind === 'text') return within.includes(value as string);
    throw new ValueProblem(
      `a text is searched for a ${kind}`,
      'Put the value in quotes to search for it as a text.',
    );
  }
  const items = within as readonly Value[];
  if (items.includes(value)) return true;
  const kinds = new Set(items.map(kindOf));
  kinds.delete('null');
  if (kinds.size > 0 && !kinds.has(kind))
    throw new ValueProblem(
      `a list of ${[...kinds].join(' and ')} is searched for a ${kind}`,
      'Compare equal types: numbers stand without quotes, texts in quotes.',
    );
  return false;
}

export function join(list: Value, separator: string, budget: Budget): string {
  const items = (list ?? []) as readonly Value[];
  budget.spend(separator.length * Math.max(0, items.length - 1));
  return items.map((item) => textOf(item, budget)).join(separator);
}

export function format(template: string, values: readonly Value[], budget: Budget): string {
  const texts: (string | undefined)[] = [];
  const pieces: string[] = [];
  let literal = '';
  for (let at = 0; at < template.length; at += 1) {
    const char = template[at] as string;
    if ((char === '{' || char === '}') && template[at + 1] === char) {
      literal += char;
      at += 1;
    } else if (char === '{') {
      const end = template.indexOf('}', at);
      const number = end < 0 ? '' : template.slice(at + 1, end);
      if (!/^\d{1,4}$/.test(number))
        throw new ValueProblem(
          `"{" at character ${at + 1} of the template is no \`{0}\``,
          'Write `{{` for the character itself.',
        );
      const index = Number(number);
      if (index >= values.length)
        throw new ValueProblem(
          `there is no value for {${number}}`,
          `Values are counted from {0}; ${values.length} are given.`,
        );
      const value = texts[index] ?? textOf(values[index] as Value, budget);
      if (texts[index] !== undefined) budget.spend(value.length);
      texts[index] = value;
      pieces.push(literal, value);
      literal = '';
      at = end;
    } else if (char === '}')
      throw new ValueProblem(
        `"}" at character ${at + 1} of the template closes nothing`,
        'Write `}}` for the character itself.',
      );
    else literal += char;
  }
  budget.spend(template.length);
  pieces.push(literal);
  return pieces.join('');
}

/** Characters as people count them, not halves of them. */
export function length(value: Value): number {
  if (value === null) return 0;
  if (typeof value === 'string') {
    let count = 0;
    for (const _ of value) count += 1;
    return count;
  }
  return Array.isArray(value) ? value.length : Object.keys(value as object).length;
}

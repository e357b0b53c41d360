/**
 * How a reference to a secret is written: `${env:NAME}`, `${file:/path}`, `${credential:NAME}`, `${age:FILE#KEY}`. Only
 * the syntax: `secrets` resolves them. `${{ … }}` is something else (values of a job) and never matches. `$${env:NAME}` is
 * no reference but the text `${env:NAME}`: so data that is put into such a text stays data.
 */
export const referenceKinds = ['env', 'file', 'credential', 'age'] as const;

export interface Reference {
  readonly kind: (typeof referenceKinds)[number];
  /** What stands after the colon. */
  readonly name: string;
  /** The whole reference as written, and where it starts in the text. */
  readonly text: string;
  readonly index: number;
}

const form = /(?<!\$)\$\{(\w+):([^{}]*)\}/g;
const escaped = /\$(\$+\{\w+:)/g;
const names = {
  env: /^[A-Za-z_][A-Za-z0-9_]*$/,
  file: /^[^\0]+$/,
  credential: /^(?!\.{1,2}$)[A-Za-z0-9_.-]+$/,
  age: /^[^\0#]+#[^\0#]+$/,
} as const;

/** The well-formed references of a text, in its order. */
export function findReferences(text: string): Reference[] {
  if (!text.includes('${')) return [];
  return [...text.matchAll(form)].flatMap((match): Reference[] => {
    const [whole, kind = '', name = ''] = match;
    return isKind(kind) && names[kind].test(name) ? [{ kind, name, text: whole, index: match.index }] : [];
  });
}

/**
 * A text and the data that is put into it, in order: only references that stand wholly in the text itself are references,
 * not what data makes of it alone, with other data or with the text beside it. `unescapeReferences` gives the rest again.
 */
export function joinWithData(parts: readonly { readonly text: string; readonly isData: boolean }[]): string {
  const whole = parts.map(({ text }) => text).join('');
  if (!whole.includes('${')) return whole;
  const own: (readonly [from: number, to: number])[] = [];
  let from = 0;
  for (const { text, isData } of parts) {
    if (!isData) own.push([from, from + text.length]);
    from += text.length;
  }
  const isOwn = (start: number, end: number): boolean => own.some(([a, b]) => a <= start && end <= b);
  const ends = new Map(findReferences(whole).map(({ index, text }) => [index, index + text.length]));
  return whole.replace(/(\$+)\{\w+:/g, (head, _dollars: string, at: number) =>
    isOwn(at, ends.get(at) ?? at + head.length) ? head : `$${head}`,
  );
}

/** For a text whose references have been resolved, or for its parts between them. */
export function unescapeReferences(text: string): string {
  return text.includes('$${') ? text.replace(escaped, '$1') : text;
}

/** What looks like a reference and is none: an unknown kind, or a name that this kind cannot have. */
export function malformedReferences(
  text: string,
): { readonly text: string; readonly kind: string; readonly known: boolean }[] {
  if (!text.includes('${')) return [];
  return [...text.matchAll(form)].flatMap(([whole, kind = '', name = '']) => {
    const known = isKind(kind);
    return known && names[kind].test(name) ? [] : [{ text: whole, kind, known }];
  });
}

function isKind(kind: string): kind is Reference['kind'] {
  return (referenceKinds as readonly string[]).includes(kind);
}

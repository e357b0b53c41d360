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

/** Data as it has to stand in a text whose references are resolved: `unescapeReferences` gives it again. */
export function escapeReferences(data: string): string {
  return data.includes('${') ? data.replace(/\$+(?=\{\w+:)/g, '$$$&') : data;
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

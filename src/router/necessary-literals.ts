/**
 * Which literal texts a path must contain, and where, for a glob to have any chance. Read off the glob's text, not off
 * picomatch's regular expression, so that nothing is compiled. It claims a literal only where the text leaves no doubt:
 * names, `*`, `?`, `**` as a whole segment, simple classes, brace lists. Anything else (extglobs, escapes, quotes, odd
 * nesting) yields at most its leading folders. Too few literals cost time; one too many would lose files.
 */
export interface Literal {
  /**
   * `folder`: the path starts with these whole segments. `segment`: one of its segments is this. `prefix`, `suffix`: its
   * last segment starts or ends so.
   */
  readonly where: 'folder' | 'segment' | 'prefix' | 'suffix';
  readonly text: string;
}

/** More brace alternatives than this are not worth their entries in the index. */
const maxAlternatives = 128;

/** Characters that stand for themselves in every part of picomatch's grammar. A comma does so outside braces only. */
const nameChar = String.raw`[\w\-. ~%#;:'&@=]|[^\x00-\x7f]`;
/** Its content can not reach `/`, neither by a range nor by negation. */
const simpleClass = String.raw`\[\^?[A-Za-z0-9_](?:[A-Za-z0-9_]|-(?!-))*\]`;
const understood = new RegExp(`^(?:${nameChar}|[,/*?{}]|${simpleClass})+$`);
const literalText = new RegExp(`^(?:${nameChar}|,)+$`);
const magic = /[*?]|\[[^\]]*\]/g;

/**
 * @returns One list per alternative of the pattern: a path that matches has every literal of at least one of the lists.
 * An empty list promises nothing.
 */
export function necessaryLiterals(pattern: string): readonly (readonly Literal[])[] {
  const glob = pattern.replace(/^(?:\.\/)+/, '');
  const alternatives = understood.test(glob) && doubleStarsAreSegments(glob) ? expandBraces(glob) : undefined;
  return alternatives === undefined ? [leadingFolder(glob)] : alternatives.map(literalsOf);
}

/** Of a glob without braces. */
function literalsOf(glob: string): Literal[] {
  const segments = glob.split('/');
  if (segments.includes('')) return [];
  const found: Literal[] = [];
  const leading = segments.findIndex((segment) => !literalText.test(segment));
  if (leading !== 0)
    found.push({ where: 'folder', text: segments.slice(0, leading === -1 ? undefined : leading).join('/') });
  for (const segment of segments)
    if (literalText.test(segment)) found.push({ where: 'segment', text: segment });
  const last = segments.at(-1) as string;
  if (last === '**' || literalText.test(last)) return found;
  const pieces = last.split(magic);
  const [prefix, suffix] = [pieces[0] as string, pieces.at(-1) as string];
  if (prefix !== '') found.push({ where: 'prefix', text: prefix });
  if (suffix !== '') found.push({ where: 'suffix', text: suffix });
  return found;
}

/** What is sure of a glob we do not understand: the plain folders before its first unusual segment. */
function leadingFolder(glob: string): Literal[] {
  // An escape or quote may change what a later `/` means; a bare `|` makes the folders one alternative of two.
  if (/["\\]/.test(glob) || !alternationIsEnclosed(glob)) return [];
  const segments = glob.split('/');
  const leading = segments.slice(0, -1).findIndex((segment) => !literalText.test(segment));
  const folder = segments.slice(0, leading === -1 ? -1 : leading).join('/');
  return folder === '' ? [] : [{ where: 'folder', text: folder }];
}

function alternationIsEnclosed(glob: string): boolean {
  if (!glob.includes('|')) return true;
  if (/[[\]{}]/.test(glob)) return false;
  let depth = 0;
  for (const char of glob) {
    if (char === '(') depth += 1;
    else if (char === ')') depth -= 1;
    if (depth < 0 || (char === '|' && depth === 0)) return false;
  }
  return depth === 0;
}

/** `**` crosses folders only between slashes; beside text or at a brace's edge picomatch gives it other meanings. */
function doubleStarsAreSegments(glob: string): boolean {
  let depth = 0;
  for (let at = 0; at < glob.length; at += 1) {
    const char = glob[at];
    if (char === '{') depth += 1;
    else if (char === '}') depth -= 1;
    else if (char === '*' && glob[at + 1] === '*') {
      const [before, after] = [glob[at - 1], glob[at + 2]];
      const opens = before === '/' || (before === undefined && depth === 0);
      const closes = after === '/' || (after === undefined && depth === 0);
      if (!opens || !closes) return false;
      at += 1;
    }
  }
  return true;
}

/** All alternatives, or undefined where braces mean something else (`{a}`, `{1..3}`, unbalanced) or are too many. */
function expandBraces(glob: string): string[] | undefined {
  const open = glob.indexOf('{');
  if (open === -1) return glob.includes('}') ? undefined : [glob];
  if (glob.lastIndexOf('}', open) !== -1) return undefined;
  const choices: string[] = [];
  let [depth, from, close] = [0, open + 1, -1];
  for (let at = open; at < glob.length && close === -1; at += 1) {
    const char = glob[at];
    if (char === '{') depth += 1;
    else if (char === '}') depth -= 1;
    if (depth === 0) close = at;
    if (depth === 0 || (depth === 1 && char === ',')) {
      choices.push(glob.slice(from, at));
      from = at + 1;
    }
  }
  if (close === -1 || choices.length < 2 || glob.slice(open, close).includes('..')) return undefined;
  const expanded: string[] = [];
  for (const choice of choices) {
    const alternatives = expandBraces(glob.slice(0, open) + choice + glob.slice(close + 1));
    if (alternatives === undefined || expanded.length + alternatives.length > maxAlternatives)
      return undefined;
    expanded.push(...alternatives);
  }
  return [...new Set(expanded)];
}

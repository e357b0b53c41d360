/**
 * Finds what is wrong with a routing pattern before it is ever tried. picomatch itself accepts almost anything and then
 * matches nothing, which a user notices only when files lie there unrouted.
 */
import picomatch from 'picomatch';
import { forPicomatch, globOptions } from './glob.ts';

export interface PatternProblem {
  readonly message: string;
  readonly fix: string;
}

/** picomatch's own limit; it throws beyond. */
const maxLength = 65_536;

/**
 * @param base What the pattern is relative to.
 * @returns `undefined` for a good pattern. One with a leading `!` is checked like the one behind it.
 */
export function checkPattern(pattern: string, base = 'the watched root'): PatternProblem | undefined {
  const taking = pattern.startsWith('!') && !pattern.startsWith('!(');
  const glob = taking ? pattern.slice(1) : pattern;
  const sign = taking ? '!' : '';
  if (glob.trim() === '')
    return { message: 'the pattern is empty', fix: 'Write for example "**/*.py", or "**" for every file.' };
  if (glob.length > maxLength)
    return {
      message: `the pattern has ${glob.length} characters; ${maxLength} is the limit`,
      fix: 'Write several patterns as a list.',
    };
  if (glob.includes('\0'))
    return { message: 'the pattern holds a NUL character, which no file name has', fix: 'Remove it.' };
  if (taking && glob.startsWith('!'))
    return {
      message: `"${pattern}" starts with two "!"`,
      fix: 'Write one "!" to take files away, none to match them.',
    };
  return wrongPath(glob, sign, base) ?? wrongBrackets(glob) ?? tooSlow(glob) ?? wrongExpression(glob);
}

/** What can not be a path relative to the root. */
function wrongPath(glob: string, sign: string, base: string): PatternProblem | undefined {
  const proposed = (text: string) => `Write "${sign}${text}".`;
  if (/^[A-Za-z]:[\\/]/.test(glob) || /^~\//.test(glob)) {
    return {
      message: `"${glob}" is an absolute path; patterns are relative to ${base}`,
      fix: 'Write the part below the root, for example "reports/**".',
    };
  }
  // `\**` would be a literal star and then any name: nobody writes that, but a Windows path looks so.
  if (/\\(?:[\p{L}\p{N}_. -]|\*\*)/u.test(glob)) {
    return {
      message: `"${glob}" uses "\\" as a separator; it escapes the next character`,
      fix: proposed(glob.replaceAll('\\', '/')),
    };
  }
  if (/(?:^|[^\\])(?:\\\\)*\\$/.test(glob))
    return { message: `"${glob}" ends in a lone "\\"`, fix: proposed(glob.slice(0, -1)) };
  if (glob.startsWith('/')) {
    return {
      message: `"${glob}" is an absolute path; patterns are relative to ${base}`,
      fix: `${proposed(glob.replace(/^\/+/, '') || '**')} It is tried against the path below the root.`,
    };
  }
  if (/(?:^|[/{,(|])\.\.(?:$|[/},)|])/.test(glob)) {
    return {
      message: `"${glob}" leaves ${base} by ".."`,
      fix: 'Watch that folder as a root of its own.',
    };
  }
  if (glob.endsWith('/'))
    return { message: `"${glob}" ends in "/", and only files are matched`, fix: proposed(`${glob}**`) };
  if (glob.includes('//'))
    return { message: `"${glob}" has an empty folder name`, fix: proposed(glob.replace(/\/{2,}/g, '/')) };
  if (glob.includes('/./'))
    return { message: `"${glob}" has "." as a folder`, fix: proposed(glob.replace(/(?:\/\.)+\//g, '/')) };
  return undefined;
}

const closing: Readonly<Record<string, string>> = { '(': ')', '{': '}' };

function wrongBrackets(glob: string): PatternProblem | undefined {
  const open: { readonly char: string; readonly at: number }[] = [];
  for (let at = 0; at < glob.length; at += 1) {
    const char = glob[at] as string;
    if (char === '\\') at += 1;
    else if (char === '[') {
      const end = classEnd(glob, at);
      if (end === -1) return unbalanced(glob, '[', at, ']');
      // picomatch negates by `^` alone, where shells know `!` too.
      if (glob[at + 1] === '!') {
        return {
          message: `"${glob.slice(at, end + 1)}" does not exclude: it matches "!" and the other characters`,
          fix: `Write "[^${glob.slice(at + 2, end + 1)}", or put the "!" last to mean the character.`,
        };
      }
      at = end;
    } else if (char === '"') {
      const end = glob.indexOf('"', at + 1);
      if (end === -1) return unbalanced(glob, '"', at, '"');
      at = end;
    } else if (char in closing) open.push({ char, at });
    else if (char === ')' || char === '}') {
      const last = open.pop();
      if (last === undefined)
        return {
          message: `"${char}" at character ${at + 1} of "${glob}" closes nothing`,
          fix: `Open it before, or write "\\${char}" for the character itself.`,
        };
      if (closing[last.char] !== char)
        return unbalanced(glob, last.char, last.at, closing[last.char] as string);
    }
  }
  const last = open.at(-1);
  return last && unbalanced(glob, last.char, last.at, closing[last.char] as string);
}

/** Position of the `]` that ends the class; one right after `[` or `[^` is a member. */
function classEnd(glob: string, start: number): number {
  let at = glob[start + 1] === '^' || glob[start + 1] === '!' ? start + 2 : start + 1;
  if (glob[at] === ']') at += 1;
  for (; at < glob.length; at += 1) {
    if (glob[at] === '\\') at += 1;
    else if (glob.startsWith('[:', at) && glob.includes(':]', at)) at = glob.indexOf(':]', at) + 1;
    else if (glob[at] === ']') return at;
  }
  return -1;
}

function unbalanced(glob: string, char: string, at: number, close: string): PatternProblem {
  return {
    message: `"${char}" at character ${at + 1} of "${glob}" is never closed`,
    fix: `Add "${close}", or write "\\${char}" for the character itself.`,
  };
}

/** Most `*` between two `/`: with more a hostile file name makes the matcher try for minutes. */
const maxStars = 8;

/** What a file name that was made for it could keep the matcher busy with: repeats within repeats. */
function tooSlow(glob: string): PatternProblem | undefined {
  const repeated = /[*+]\((?:[^()]|\([^()]*\))*[*+](?:[^()]|\([^()]*\))*\)/.exec(glob)?.[0];
  if (repeated !== undefined)
    return {
      message: `"${repeated}" repeats something that repeats, which can take for ever to match`,
      fix: 'Write several patterns as a list.',
    };
  const crowded = glob
    .split('/')
    .find((segment) => segment !== '**' && segment.split('*').length - 1 > maxStars);
  if (crowded !== undefined)
    return {
      message: `"${crowded}" has more than ${maxStars} "*", which can take for ever to match`,
      fix: 'Write a simpler pattern, or several as a list.',
    };
  return undefined;
}

function wrongExpression(glob: string): PatternProblem | undefined {
  try {
    picomatch.makeRe(forPicomatch(glob), { ...globOptions, debug: true });
    return undefined;
  } catch (error) {
    const detail =
      error instanceof Error
        ? error.message.replace(/^Invalid regular expression: .*: /s, '')
        : String(error);
    return {
      message: `"${glob}" can not be understood: ${detail}`,
      fix: 'Look at the ranges in "[…]" (from the lower to the higher) and at what stands in "(…)".',
    };
  }
}

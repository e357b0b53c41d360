/** Source code: language, functions with the most branched first, comments, notes such as TODO, syntax errors. */
import { bounds } from '../bounds.ts';
import type { Kind } from '../kind.ts';
import { languageOf } from '../languages.ts';
import { eachLine } from '../lines.ts';
import { blocks, count, list, number, code as span, table } from '../markup.ts';
import type { TextSubject } from '../subject.ts';
import type { SyntaxFacts } from './syntax.ts';
import { SyntaxThread } from './syntax-thread.ts';

interface Note {
  readonly line: number;
  readonly text: string;
}

// One for this thread, and ending with it: starting it takes longer than reading most files.
const syntaxThread = new SyntaxThread();

const noteWord = /\b(?:TODO|FIXME|HACK|XXX)\b/;

export const code: Kind<TextSubject> = {
  claims: ({ name, extension, head, type }) => languageOf(name, extension, head)?.mime === type.mime,
  describe: async ({ name, extension, head, text, signal }) => {
    const language = languageOf(name, extension, head);
    const syntax =
      language?.grammar === undefined
        ? undefined
        : await syntaxThread.read(text.value, language.grammar, signal);
    const blank = blankLines(text.value);
    const notes = syntax === undefined ? notesInLines(text.value) : notesInComments(syntax);
    const title = language?.name ?? 'Code';
    const parts = [
      count(blank.total, 'line'),
      ...(syntax === undefined ? [] : [count(syntax.functions.length, 'function')]),
      ...(notes.length > 0 ? [count(notes.length, 'TODO or FIXME', 'TODOs and FIXMEs')] : []),
      ...(syntax !== undefined && syntax.errors.total > 0
        ? [`syntax errors from line ${syntax.errors.lines[0]}`]
        : []),
    ];
    const cut = text.value.length > bounds.codeChars;
    return {
      headline: `${title}, ${parts.join(', ')}`,
      body: blocks(
        `## ${title}`,
        syntax === undefined ? unparsed(language?.grammar) : facts(syntax, blank),
        syntax !== undefined && cut ? `Parsed: the first ${count(bounds.codeChars, 'character')}.` : '',
        syntax === undefined ? '' : hotSpots(syntax),
        notes.length === 0
          ? ''
          : blocks(
              '### Notes in the code',
              list(notes.slice(0, 50).map(({ line, text: note }) => `line ${number(line)}: ${span(note)}`)),
            ),
        notes.length > 50 ? `… and ${number(notes.length - 50)} more.` : '',
      ),
    };
  },
};

function unparsed(grammar: string | undefined): string {
  return grammar === undefined
    ? 'There is no grammar for this language here: functions and comments are not listed.'
    : 'The parser gave up on this file: functions and comments are not listed.';
}

function facts({ commentLines, errors }: SyntaxFacts, blank: { total: number; blank: number }): string {
  const written = Math.max(1, blank.total - blank.blank);
  return list([
    `Lines: ${number(blank.total)}, of these ${number(blank.blank)} blank and ${number(commentLines)} of comments (${Math.round((commentLines / written) * 100)} % of what is not blank).`,
    errors.total === 0
      ? 'Syntax: no errors found.'
      : `Syntax: ${count(errors.total, 'place')} the parser could not read, first in line ${errors.lines.map(number).join(', ')}.`,
  ]);
}

function hotSpots({ functions }: SyntaxFacts): string {
  if (functions.length === 0) return 'No functions.';
  const top = functions.toSorted((a, b) => b.complexity - a.complexity || b.lines - a.lines).slice(0, 10);
  const rows = top.map(({ name, line, lines, complexity }) => [
    span(name, 60),
    number(line),
    number(lines),
    number(complexity),
  ]);
  return blocks(
    `### Functions (${number(functions.length)}), the most branched first`,
    table(['Function', 'Line', 'Lines', 'Complexity'], rows),
    'Complexity is an estimate: 1 + the branches, loops, cases, handlers and logical operators in the function.',
  );
}

function notesInComments({ comments }: SyntaxFacts): Note[] {
  const notes: Note[] = [];
  for (const { line, text } of comments) {
    if (!noteWord.test(text)) continue;
    for (const [at, row] of text.split('\n').entries())
      if (noteWord.test(row)) notes.push({ line: line + at, text: row.trim() });
  }
  return notes;
}

function notesInLines(text: string): Note[] {
  const notes: Note[] = [];
  eachLine(text, (line, n) => {
    if (noteWord.test(line.slice(0, 1000))) notes.push({ line: n, text: line.trim() });
    return notes.length < 10_000;
  });
  return notes;
}

function blankLines(text: string): { total: number; blank: number } {
  const lines = { total: 0, blank: 0 };
  eachLine(text, (line) => {
    lines.total += 1;
    if (line.length < 1000 && line.trim() === '') lines.blank += 1;
  });
  return lines;
}

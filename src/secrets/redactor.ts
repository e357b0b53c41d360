/**
 * The one redaction funnel: text, streams and files without the secrets that were registered. Streams and files are
 * treated as bytes (latin1), so that binary output passes unchanged and a character split over two chunks is no problem.
 * With no secret registered everything passes untouched at no cost.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Transform } from 'node:stream';
import { AppError, messageOf } from '../types/errors.ts';
import { fsPath } from '../types/path-bytes.ts';
import { base64FormsOf, formsOf } from './forms.ts';

export const redacted = '[redacted]';
const chunkBytes = 256 * 1024;

export interface Redactor {
  /** From now on the value, in all its spellings, is replaced. */
  register(value: string): void;
  redact(text: string): string;
  redactFile(path: string): Promise<void>;
  stream(): Transform;
}

interface Search {
  readonly text: Patterns;
  readonly bytes: Patterns;
  readonly longest: number;
}

interface Patterns {
  readonly plain: RegExp;
  /** With line breaks anywhere in base64; takes three times as long. */
  readonly broken: RegExp;
}

/** Base64 as programs break it into lines, of 64 or 76 characters: only then is it looked for so. */
const brokenBase64 = /[\\\r\n](?<=[A-Za-z0-9+/_-]{40}.)/s;
/** The end of a line as it is, or within JSON, also within JSON in JSON. */
const lineBreak = '(?:(?:\\\\{1,4}[rn]|[\\r\\n]){1,2})?';
const longestBreak = 10;
const lineLength = 76;

export function createRedactor(): Redactor {
  const values = new Set<string>();
  let search: Search | undefined;
  return {
    register(value) {
      if (values.has(value)) return;
      values.add(value);
      search = makeSearch([...values]);
    },
    redact: (text) => (search ? text.replace(fitting(search.text, text), redacted) : text),
    async redactFile(path) {
      if (search) await rewrite(path, search);
    },
    stream() {
      let pass: ReturnType<typeof createPass> | undefined;
      return new Transform({
        transform(chunk: Buffer, _encoding, done) {
          // A secret may be registered while the stream runs: the search of its first chunk is no reason to let it through.
          if (!search) return done(null, chunk);
          if (!pass || pass.search !== search) pass = createPass(search, pass?.rest() ?? '');
          done(null, Buffer.from(pass.push(chunk.toString('latin1')), 'latin1'));
        },
        flush(done) {
          done(null, pass ? Buffer.from(pass.end(), 'latin1') : undefined);
        },
      });
    },
  };
}

function makeSearch(values: readonly string[]): Search {
  const forms = values.flatMap(formsOf);
  const bytes = forms.map((form) => Buffer.from(form, 'utf8').toString('latin1'));
  const base64 = values.flatMap(base64FormsOf);
  const longest = Math.max(
    ...bytes.map((form) => form.length),
    ...base64.map((form) => form.length + longestBreak * Math.ceil(form.length / 40 + 1)),
  );
  return { text: patternsOf(forms, base64), bytes: patternsOf(bytes, base64), longest };
}

/** Longest first: of two secrets that begin alike the whole longer one must go. */
function patternsOf(forms: readonly string[], base64: readonly string[]): Patterns {
  const breakable = new Set(base64);
  const sorted = [...new Set([...forms, ...base64])].toSorted((a, b) => b.length - a.length);
  const anyOf = (patterns: readonly string[]) => new RegExp(patterns.join('|'), 'g');
  const broken = (form: string) => [...form].map(quoted).join(lineBreak);
  return {
    plain: anyOf(sorted.map(quoted)),
    broken: anyOf(sorted.map((form) => (breakable.has(form) ? broken(form) : quoted(form)))),
  };
}

function fitting({ plain, broken }: Patterns, text: string): RegExp {
  return brokenBase64.test(text) ? broken : plain;
}

function quoted(form: string): string {
  return form.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

/** Redacts a text that comes in pieces. What could be the beginning of a secret is held back. */
function createPass(search: Search, start = '') {
  let held = start;
  /** What was given out last: by the line that it is part of, base64 is known to be broken. */
  let before = '';
  const patternFor = (text: string): RegExp => fitting(search.bytes, before + text);
  return {
    search,
    rest: () => held,
    push(piece: string): string {
      const text = held + piece;
      // A match that begins before this place lies in the text as a whole.
      const safe = text.length - (search.longest - 1);
      let out = '';
      let from = 0;
      for (const match of text.matchAll(patternFor(text))) {
        if (match.index >= safe) break;
        out += text.slice(from, match.index) + redacted;
        from = match.index + match[0].length;
      }
      const to = Math.max(from, safe, 0);
      out += text.slice(from, to);
      before = (before + text.slice(Math.max(0, to - lineLength), to)).slice(-lineLength);
      held = text.slice(to);
      return out;
    },
    end(): string {
      const out = held.replace(patternFor(held), redacted);
      held = '';
      return out;
    },
  };
}

/** Replaces the file by a clean copy when there is something to redact; otherwise only reads it. */
async function rewrite(path: string, search: Search): Promise<void> {
  // An agent's output may be a link to somewhere else: that is not ours to read or change.
  await using source = await open(
    fsPath(path),
    constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
  );
  const stat = await source.stat();
  if (!stat.isFile())
    throw new AppError('NOT_POSSIBLE', `Cannot redact "${path}": it is no regular file`, {
      fix: 'Let the agent write a plain file.',
    });
  if (!(await holdsSecret(source, search))) return;
  const copy = `${dirname(path)}/.redact-${randomBytes(8).toString('hex')}`;
  try {
    {
      await using target = await open(fsPath(copy), 'wx', 0o600);
      const pass = createPass(search);
      for await (const piece of pieces(source))
        await target.writeFile(Buffer.from(pass.push(piece), 'latin1'));
      await target.writeFile(Buffer.from(pass.end(), 'latin1'));
      await target.chmod(stat.mode & 0o777);
    }
    await rename(fsPath(copy), fsPath(path));
  } catch (error) {
    await unlink(fsPath(copy)).catch(() => undefined);
    throw new AppError('OUTPUT_UNWRITABLE', `Cannot redact "${path}": ${messageOf(error)}`, {
      cause: error,
      fix: 'Check the free space and the permissions of its folder; the file still holds a secret.',
    });
  }
}

async function holdsSecret(source: Awaited<ReturnType<typeof open>>, search: Search): Promise<boolean> {
  let tail = '';
  for await (const piece of pieces(source)) {
    const text = tail + piece;
    if (text.search(fitting(search.bytes, text)) >= 0) return true;
    tail = text.slice(-(search.longest + lineLength));
  }
  return false;
}

async function* pieces(source: Awaited<ReturnType<typeof open>>): AsyncGenerator<string> {
  const buffer = Buffer.allocUnsafe(chunkBytes);
  for (let at = 0; ; ) {
    const { bytesRead } = await source.read(buffer, 0, chunkBytes, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.toString('latin1', 0, bytesRead);
  }
}

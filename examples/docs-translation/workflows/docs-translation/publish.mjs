// publish.mjs PAGE FOLDER INTO TRANSLATION: puts the translation of FOLDER/…/x.md to INTO/…/x.md. Its last line says what it was made
// from. A page that somebody has changed by hand since is never written over: while the original is the same it stays as it is,
// and otherwise the step fails and says where the new translation lies.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const mark = /\n<!-- translated from (.*), original ([0-9a-f]{16}), text ([0-9a-f]{16}) -->\n?$/;
const sum = (text) => createHash('sha256').update(text).digest('hex').slice(0, 16);

/**
 * @param {string | undefined} there What stands there now.
 * @returns {{ kind: 'write', text: string } | { kind: 'keep' } | { kind: 'refuse' }}
 */
export function decide(there, { page, original, translation }) {
  const body = `${translation.trimEnd()}\n`;
  const text = `${body}\n<!-- translated from ${page.replaceAll('--', '-')}, original ${sum(original)}, text ${sum(body)} -->\n`;
  if (there === undefined) return { kind: 'write', text };
  const said = mark.exec(there);
  // The mark begins with the empty line before it.
  if (said && sum(there.slice(0, said.index)) === said[3]) return { kind: 'write', text };
  return said?.[2] === sum(original) ? { kind: 'keep' } : { kind: 'refuse' };
}

function main([page, folder, into, from]) {
  const rel = relative(folder, page);
  const out = relative('.', into);
  if (out === '' || out.startsWith('..') || isAbsolute(out))
    throw new Error(`"${into}" is not a folder inside of the project`);
  if (rel.startsWith('..') || isAbsolute(rel)) throw new Error(`"${page}" is not inside of "${folder}"`);
  const target = join(into, rel);
  const there = existsSync(target) ? readFileSync(target, 'utf8') : undefined;
  const [original, translation] = [page, from].map((file) => readFileSync(file, 'utf8'));
  const decision = decide(there, { page: rel, original, translation });
  if (decision.kind === 'refuse')
    throw new Error(
      `${target} was changed by hand, and its original is another now. Take over what is new from ${from}, or delete it and run this again.`,
    );
  if (decision.kind === 'write' && decision.text !== there) {
    mkdirSync(dirname(target), { recursive: true });
    // By rename: whoever builds the docs meanwhile sees a whole page or none.
    writeFileSync(`${target}.part`, decision.text);
    renameSync(`${target}.part`, target);
  }
  const how = decision.kind === 'keep' ? 'kept' : there === decision.text ? 'unchanged' : 'written';
  console.log(JSON.stringify({ target, how }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    main(process.argv.slice(2));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}

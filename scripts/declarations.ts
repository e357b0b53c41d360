/**
 * Types of what others import from this package: one `.d.ts` for each source that the entries' types lead to. Made from
 * each file by itself (`isolatedDeclarations`), in milliseconds, where `tsc` would look at the whole program at each build;
 * a test compiles a plugin against them.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { isolatedDeclarationSync } from 'rolldown/experimental';

/** Where a declaration names another one of our files. */
const relativeImport = /((?:from|import)\s*\(?\s*["'])(\.{1,2}\/[^"']+)\.ts(["'])/g;

/**
 * @param names Entries, relative to `src` and without extension.
 * @throws where a file exports something without a written type.
 */
export function writeDeclarations(src: string, out: string, names: readonly string[]): void {
  const wanted = names.map((name) => join(src, `${name}.ts`));
  const made = new Set<string>();
  for (let file = wanted.pop(); file !== undefined; file = wanted.pop()) {
    if (made.has(file)) continue;
    made.add(file);
    const { code, errors } = isolatedDeclarationSync(file, readFileSync(file, 'utf8'));
    const [error] = errors;
    if (error !== undefined) throw new Error(`${file}: ${error.message}`);
    const from = dirname(file);
    for (const [, , path] of code.matchAll(relativeImport)) wanted.push(join(from, `${path}.ts`));
    const to = join(out, relative(src, file).replace(/\.ts$/, '.d.ts'));
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, code.replaceAll(relativeImport, '$1$2.js$3'));
  }
}

/** Every relative link in the Markdown files leads to a file, and its `#anchor` to a heading. No network. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const root = join(import.meta.dirname, '..');
const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && !/^(test\/fixtures|scripts\/demo\/files)\//.test(file));
const problems: string[] = [];

for (const file of files) {
  const text = readFileSync(join(root, file), 'utf8').replace(/^(`{3,})[\s\S]*?^\1/gm, '');
  for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target)) continue;
    const [path = '', anchor] = target.split('#');
    const to = path === '' ? join(root, file) : resolve(root, dirname(file), decodeURIComponent(path));
    if (!existsSync(to)) problems.push(`${file}: ${target}: no such file`);
    else if (anchor !== undefined && statSync(to).isFile() && !anchorsOf(to).has(anchor))
      problems.push(`${file}: ${target}: no such heading`);
  }
}

/** As GitHub makes them: lower case, spaces to dashes, punctuation dropped, repeats numbered. */
function anchorsOf(file: string): Set<string> {
  const seen = new Map<string, number>();
  const anchors = new Set<string>();
  for (const [, heading = ''] of readFileSync(file, 'utf8').matchAll(/^#{1,6}\s+(.+)$/gm)) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = plain
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-');
    const n = seen.get(slug) ?? 0;
    seen.set(slug, n + 1);
    anchors.add(n === 0 ? slug : `${slug}-${n}`);
  }
  for (const [, id = ''] of readFileSync(file, 'utf8').matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(id);
  return anchors;
}

for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(`${files.length} files, ${problems.length} broken links\n`);
process.exit(problems.length > 0 ? 1 : 0);

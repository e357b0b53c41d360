/** Files as people and programs make them, in all the ways we know, while a daemon watches; then: was each one seen, whole? */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { makeProject, type Project } from '../daemon/project.ts';
import { ended, sha256 } from './rig.ts';

const config = (sandbox: string): string => `
routing_rules: [{ name: all, pattern: "**", agent: work }]
agents: { work: { kind: command, command: [sha256sum, -z, "\${{ file.path }}"]${sandbox} } }
daemon: { min_free_disk: 1MiB }
`;

/** Each gets `in/<n>` files of its own from the source folder `$1` and puts them under the root `$2`. */
const ways: Readonly<Record<string, string>> = {
  cp: 'mkdir "$2/cp"; cp "$1"/* "$2/cp/"',
  'cp -p, with a time of 2001': 'touch -d 2001-02-03 "$1"/*; mkdir "$2/cp-p"; cp -p "$1"/* "$2/cp-p/"',
  'cp -r of a tree': 'cp -r "$1" "$2/cp-r"',
  mv: 'mkdir "$2/mv"; mv "$1"/* "$2/mv/"',
  'mv of a tree': 'mv "$1" "$2/mv-tree"',
  'hard links': 'mkdir "$2/ln"; ln "$1"/* "$2/ln/"',
  'rename over an older version':
    'mkdir "$2/over"; for f in "$1"/*; do n=${f##*/}; echo old > "$2/over/$n"; cp "$f" "$2/over/.$n.new.tmp"; mv "$2/over/.$n.new.tmp" "$2/over/$n"; done',
  'deep new folders':
    'for f in "$1"/*; do n=${f##*/}; mkdir -p "$2/deep/$n/a/b/c/d/e"; cp "$f" "$2/deep/$n/a/b/c/d/e/"; done',
  tar: 'tar -C "$1" -cf - . | (mkdir "$2/tar"; tar -C "$2/tar" -xf -)',
  'git checkout':
    'cd "$1"; git init -q .; git add .; git -c user.name=t -c user.email=t@t commit -qm x; git clone -q "$1" "$2/git"; cd "$2/git"; git -c advice.detachedHead=false checkout -q --orphan e; git rm -rqf .; git checkout -q master 2>/dev/null || git checkout -q main',
  'written in pieces, held open':
    'mkdir "$2/slow"; for f in "$1"/*; do (while read -r l; do printf "%s\\n" "$l"; done < "$f") > "$2/slow/${f##*/}" & done; wait',
  'a folder renamed after it was filled': 'mkdir "$2/was"; cp "$1"/* "$2/was/"; mv "$2/was" "$2/is"',
};

export interface Arrived {
  readonly files: number;
  readonly ways: number;
}

/**
 * @param files How many in all; the same number by each way.
 * @param isConfined False where thousands of launches would only measure the sandbox.
 */
export async function arriveInAllWays(
  files: number,
  deadlineMs: number,
  isConfined = true,
): Promise<Arrived> {
  const project = makeProject(config(isConfined ? '' : ', sandbox: { mode: off, reason: many }'));
  await project.start();
  const perWay = Math.ceil(files / Object.keys(ways).length);
  const expected = new Map<string, string>();
  for (const [n, [way, script]] of Object.entries(ways).entries()) {
    const source = join(project.dir, 'source', String(n));
    mkdirSync(source, { recursive: true });
    for (let f = 0; f < perWay; f++) {
      const content = `${way}\nfile ${f}\n${'x'.repeat(f % 700)}\n`;
      project.write(`source/${n}/${f}.txt`, content);
      expected.set(`${n}:${f}`, sha256(content));
    }
    execFileSync('sh', ['-euc', script, 'sh', source, project.inbox], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  }
  const total = perWay * Object.keys(ways).length;
  const known = await ended(project, total, deadlineMs);
  const found = [...known.values()];
  const wrong = found.filter(({ disposition }) => disposition !== 'processed' && disposition !== 'cached');
  expect(wrong).toEqual([]);
  expect(found.length).toBe(total);
  expect(found.map(({ sha256 }) => sha256).toSorted()).toEqual([...expected.values()].toSorted());
  await everyReceiptFits(project, known);
  return { files: total, ways: Object.keys(ways).length };
}

/** What the agent read is what the ledger says the file holds. */
async function everyReceiptFits(
  project: Project,
  known: ReadonlyMap<string, { sha256?: string }>,
): Promise<void> {
  const receipts = project.receipts();
  expect(receipts.length).toBe(known.size);
  for (const { input } of receipts)
    expect([input.path, input.sha256]).toEqual([input.path, known.get(input.path)?.sha256]);
}

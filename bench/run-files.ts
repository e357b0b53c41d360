/**
 * `sluice run` on small files through `sha256sum`, four at once, ledger, cache and receipts included, against `xargs -P4`
 * on the same files; then the same with many files already in the ledger: `node bench/run-files.ts [files] [rounds] [known]`.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { benchProject, makeFiles, sluice } from './project.ts';
import { line, median, ratio } from './stats.ts';

const files = Number(process.argv[2] ?? 2_000);
const rounds = Number(process.argv[3] ?? 5);
const known = Number(process.argv[4] ?? 100_000);

const config = `
watch:
  - { path: ./inbox }
  - { path: ./known }
routing_rules:
  - { name: sums, pattern: "r*/**", agent: sum }
  - { name: known, pattern: "k*/**", action: ignore }
agents: { sum: { kind: command, command: [sha256sum, "\${{ file.path }}"], sandbox: { mode: off, reason: benchmark } } }
concurrency_limits: { max_processes: 4, max_concurrent_files: 8 }
daemon: { min_free_disk: 1MiB }
`;
// Nothing is deleted between rounds: the disk would pay for it in the next one.
using project = benchProject(config);
const few: number[] = [];
const many: number[] = [];
const peer: number[] = [];

function round(name: string): number {
  const folder = join(project.inbox, name);
  makeFiles(folder, files, 'f');
  return sluice(project.dir, 'run', folder).ms;
}

function xargs(name: string): number {
  const paths = globSync(join(project.inbox, name, '**/*.txt'));
  const started = performance.now();
  spawnSync('xargs', ['-0', '-P4', '-n1', 'sha256sum'], { input: paths.join('\0'), maxBuffer: 1 << 30 });
  return performance.now() - started;
}

for (let n = 0; n < rounds; n += 1) {
  few.push(round(`r${n}`));
  peer.push(xargs(`r${n}`));
}
line(
  `sluice run, ${files} files (peer: xargs -P4)`,
  ratio(few, peer),
  '≤ 2',
  `${median(few).toFixed(0)} ms against ${median(peer).toFixed(0)} ms`,
);

makeFiles(join(project.dir, 'known'), known, 'k');
sluice(project.dir, 'run', join(project.dir, 'known'));
const again: number[] = [];
for (let n = 0; n < rounds; n += 1) {
  many.push(round(`rm${n}`));
  again.push(xargs(`rm${n}`));
}
const perPeer = ratio(many, again) / ratio(few, peer);
line(`the same with ${known} files in the ledger`, perPeer, '≤ 1.2', `${median(many).toFixed(0)} ms`);

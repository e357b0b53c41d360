/** How long the commands take that people type most, against `node -e 0`: `node bench/cli.ts [rounds]`. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { benchProject, launcher, sluice, startDaemon } from './project.ts';
import { line, median, ratio } from './stats.ts';

const rounds = Number(process.argv[2] ?? 15);
using project = benchProject(`
routing_rules: [{ name: all, pattern: "**", agent: inspect }]
agents: { inspect: { kind: builtin } }
`);
writeFileSync(join(project.inbox, 'a.txt'), 'hello');
sluice(project.dir, 'run');

const time = (args: readonly string[]): number => {
  const started = performance.now();
  spawnSync(process.execPath, args, { cwd: project.dir });
  return performance.now() - started;
};

function compare(where: string): void {
  for (const args of [['--help'], ['status'], ['why', 'inbox/a.txt']]) {
    time([launcher, ...args]);
    const ours: number[] = [];
    const node: number[] = [];
    for (let n = 0; n < rounds; n += 1) {
      ours.push(time([launcher, ...args]));
      node.push(time(['-e', '0']));
    }
    const detail = `${median(ours).toFixed(0)} ms against ${median(node).toFixed(0)} ms`;
    line(`sluice ${args[0]}, ${where} (peer: node -e 0)`, ratio(ours, node), '≤ 3', detail);
  }
}

compare('no daemon');
await using _daemon = await startDaemon(project.dir);
compare('with a daemon');

/**
 * What a running agent CLI costs the daemon in memory: a program that speaks as Codex does tells 1 MiB/s, while resident
 * memory of daemon and helper is sampled; against the same daemon idle, after it has seen one run.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { childrenOf } from './cpu.ts';
import { benchProject, startDaemon } from './project.ts';
import { median } from './stats.ts';

const TELLING_MS = 6_000;
const MAX_MIB = 30;

/** Tells until the file `stop` is there. Each line is another, as those of a model are. */
const program = `#!${process.execPath}
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
const [word, flag] = process.argv.slice(2);
if (word === '--version') console.log('codex-cli 0.169.0');
else if (flag === '--help') console.log('--json -c --sandbox --add-dir --skip-git-repo-check --model --output-schema --output-last-message --ignore-rules');
else {
  readFileSync(0);
  const tell = (value) => process.stdout.write(JSON.stringify(value) + '\\n');
  tell({ type: 'thread.started', thread_id: crypto.randomUUID() });
  tell({ type: 'turn.started' });
  writeFileSync('running/' + process.env.SLUICE_JOB_ID, '');
  let n = 0;
  const say = (text) => tell({ type: 'item.completed', item: { id: 'item_' + n++, type: 'agent_message', text } });
  const timer = setInterval(() => {
    for (let i = 0; i < 10; i++) say((n + ' ' + Math.random() + ' words of a model; ').repeat(60).slice(0, 2_000));
    if (!existsSync('stop')) return;
    clearInterval(timer);
    say('It is done.');
    tell({ type: 'turn.completed', usage: { input_tokens: 1, cached_input_tokens: 0, output_tokens: 1 } });
  }, 20);
}
`;

export async function measureMemory(): Promise<void> {
  using project = benchProject(`
routing_rules: [{ name: all, pattern: "**", agent: it, prompt: Do the task. }]
agents: { it: { kind: codex, program: ./codex.mjs, max_load: 8, sandbox: { mode: off, reason: benchmark } } }
concurrency_limits: { max_processes: 8, max_concurrent_files: 16 }
daemon: { min_free_disk: 1MiB }
`);
  const { dir, inbox } = project;
  writeFileSync(join(dir, 'codex.mjs'), program);
  chmodSync(join(dir, 'codex.mjs'), 0o755);
  const running = join(dir, 'running');
  await using daemon = await startDaemon(dir, { ...process.env, CODEX_API_KEY: 'none' });
  const pids = [daemon.child.pid as number, ...childrenOf(daemon.child.pid as number)];

  /** MiB, sampled while so many tell; their work is over afterwards. */
  const tellingOf = async (name: string, agents: number): Promise<readonly number[]> => {
    rmSync(join(dir, 'stop'), { force: true });
    rmSync(running, { recursive: true, force: true });
    mkdirSync(running);
    for (let n = 0; n < agents; n += 1) writeFileSync(join(inbox, `${name}${n}.md`), `${name} ${n}\n`);
    while (readdirSync(running).length < agents) await sleep(20);
    const seen = await samples(pids);
    writeFileSync(join(dir, 'stop'), '');
    for (let n = 0; n < agents; n += 1)
      while (!existsSync(join(dir, `processed/files/inbox/${name}${n}.md/receipt.json`))) await sleep(20);
    return seen;
  };

  await tellingOf('first', 1);
  await sleep(2_000);
  const idle = median(await samples(pids));
  for (const agents of [1, 8]) {
    const seen = await tellingOf(`by${agents}-`, agents);
    const [usual, most] = [median(seen), Math.max(...seen)].map((mib) => (mib - idle) / agents);
    process.stdout.write(
      `memory of daemon and helper per running agent, ${agents} at 1 MiB/s each: ${usual?.toFixed(1)} MiB, at most ${most?.toFixed(1)} (goal ≤ ${MAX_MIB}); idle ${idle.toFixed(0)}\n`,
    );
  }
}

async function samples(pids: readonly number[]): Promise<readonly number[]> {
  const seen: number[] = [];
  for (const end = performance.now() + TELLING_MS; performance.now() < end; await sleep(100))
    seen.push(pids.reduce((sum, pid) => sum + residentMiB(pid), 0));
  return seen;
}

function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/**
 * Workflows of `/bin/true`: chain, fan-out and grid, by `sluice workflow run` (ledger, receipts and report included)
 * against `make -j4` and wireit on the same graph, and per step against a single job's overhead (`sluice run` on as many
 * files); then the resume of a large run, and the memory of a large `for_each`:
 * `node bench/workflows.ts [steps] [rounds] [resumed] [items]`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { benchProject, launcher, makeFiles, sluice, startDaemon } from './project.ts';
import { line, median, ratio } from './stats.ts';

const steps = Number(process.argv[2] ?? 1_000);
const rounds = Number(process.argv[3] ?? 3);
const resumed = Number(process.argv[4] ?? 10_000);
const items = Number(process.argv[5] ?? 50_000);

/** For each step the numbers of those that it needs; the last one needs all others, if only through others. */
type Graph = readonly (readonly number[])[];

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);
const width = Math.max(1, Math.floor(Math.sqrt(steps)));
const graphs: Readonly<Record<'chain' | 'fan' | 'grid', Graph>> = {
  chain: range(0, steps).map((n) => (n === 0 ? [] : [n - 1])),
  fan: range(0, steps).map((n) => (n === 0 ? [] : n === steps - 1 ? range(1, n) : [0])),
  grid: range(0, width * Math.floor(steps / width)).map((n) => [
    ...(n % width === 0 ? [] : [n - 1]),
    ...(n < width ? [] : [n - width]),
  ]),
};

const off = 'sandbox: {mode: off,reason: x}';
const config = (processes: number): string => `
watch: [{ path: ./inbox }]
routing_rules: [{ name: all, pattern: "**", agent: nothing, cache: off }]
agents: { nothing: { kind: command, command: [/bin/true], ${off} } }
concurrency_limits: { max_processes: ${processes}, max_concurrent_files: ${2 * processes} }
daemon: { min_free_disk: 1MiB }
`;

/** One worker for the chain, as one after another is all that it can do; four for the others. */
using one = benchProject(config(1));
using four = benchProject(config(4));
for (const [name, graph] of Object.entries(graphs)) writeGraph(name, graph);

const hasMake = spawnSync('make', ['--version']).status === 0;
const overheads: Record<string, { readonly ours: number[]; readonly jobs: number[] }> = {};
for (const [name, graph] of Object.entries(graphs)) {
  const project = name === 'chain' ? one : four;
  const last = `s${graph.length - 1}`;
  const ours: number[] = [];
  const make: number[] = [];
  const wireit: number[] = [];
  const jobs: number[] = [];
  for (let n = 0; n < rounds; n += 1) {
    ours.push(sluice(project.dir, 'workflow', 'run', name).ms);
    if (hasMake) make.push(peer(join(project.dir, name), 'make', '-s', '-j4', last));
    wireit.push(peer(join(project.dir, name), 'npm', 'run', '--silent', last));
    const files = join(project.inbox, `${name}${n}`);
    makeFiles(files, graph.length, `${name}${n}-`);
    jobs.push(sluice(project.dir, 'run', files).ms);
  }
  const took = `${median(ours).toFixed(0)} ms`;
  const what = `${name} of ${graph.length} steps`;
  if (hasMake)
    line(`${what} (peer: make -j4)`, ratio(ours, make), '–', `${took} against ${median(make).toFixed(0)} ms`);
  line(
    `${what} (peer: wireit)`,
    ratio(ours, wireit),
    '≤ 1',
    `${took} against ${median(wireit).toFixed(0)} ms`,
  );
  overheads[name] = { ours, jobs };
}
for (const [name, { ours, jobs }] of Object.entries(overheads)) {
  const perStep = (times: readonly number[]): string => `${(median(times) / steps).toFixed(2)} ms`;
  line(
    `${name}: a step against a single job`,
    ratio(ours, jobs),
    '≤ 1.5',
    `${perStep(ours)} against ${perStep(jobs)}`,
  );
}

await resume();
await memory();

function writeGraph(name: string, graph: Graph): void {
  const project = name === 'chain' ? one : four;
  mkdirSync(join(project.dir, 'workflows'), { recursive: true });
  const written = graph.map((needs, n) => step(`s${n}`, needs));
  writeFileSync(join(project.dir, `workflows/${name}.yaml`), `name: ${name}\nsteps:\n${written.join('')}`);

  const dir = join(project.dir, name);
  mkdirSync(dir);
  const list = (needs: readonly number[]): string[] => needs.map((need) => `s${need}`);
  const rules = graph.map((needs, n) => `s${n}: ${list(needs).join(' ')}\n\t@/bin/true\n`);
  writeFileSync(
    join(dir, 'Makefile'),
    `.PHONY: ${list(range(0, graph.length)).join(' ')}\n${rules.join('')}`,
  );
  const scripts = Object.fromEntries(graph.map((_, n) => [`s${n}`, 'wireit']));
  const wireit = Object.fromEntries(
    graph.map((needs, n) => [`s${n}`, { command: '/bin/true', dependencies: list(needs) }]),
  );
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ name, private: true, scripts, wireit }));
  symlinkSync(join(import.meta.dirname, '../node_modules'), join(dir, 'node_modules'));
}

/** Short: ten thousand of them stay below the largest file that is read, 1 MiB. */
function step(name: string, needs: readonly number[], command = '/bin/true'): string {
  const list = needs.map((need) => `s${need}`).join(',');
  return `- {name: ${name},type: custom_command,command: ${command},needs: [${list}],${off}}\n`;
}

function peer(cwd: string, command: string, ...args: string[]): number {
  const started = performance.now();
  const { status, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, WIREIT_PARALLEL: '4', WIREIT_LOGGER: 'quiet-ci', WIREIT_CACHE: 'none' },
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${stderr}`);
  return performance.now() - started;
}

/**
 * All but the last of so many steps have succeeded: how long until that one runs, asked of a daemon; and by a command that
 * has to read the configuration first.
 */
async function resume(): Promise<void> {
  using project = benchProject(config(4));
  mkdirSync(join(project.dir, 'workflows'));
  const before = range(0, resumed - 1);
  const written = [...before.map((n) => step(`s${n}`, [])), step('last', before, 'test -e flag')];
  writeFileSync(join(project.dir, 'workflows/large.yaml'), `name: large\nsteps:\n${written.join('')}`);
  const { status } = spawnSync(process.execPath, [launcher, 'workflow', 'run', 'large'], {
    cwd: project.dir,
    stdio: 'ignore',
  });
  if (status !== 1) throw new Error(`the run that was to fail ended with ${status}`);
  const alone = resumedAfter(project.dir, 1);
  line(`resume of ${resumed} steps, the file read first`, alone / 1_000, '–', `${alone} ms`);
  await using _ = await startDaemon(project.dir);
  writeFileSync(join(project.dir, 'flag'), '');
  const daemon = resumedAfter(project.dir, 0);
  line(
    `resume of ${resumed} steps by a daemon`,
    daemon / 1_000,
    '≤ 1',
    `${daemon} ms until the last one runs`,
  );
}

/** Milliseconds until the last step runs. */
function resumedAfter(dir: string, code: number): number {
  const asked = Date.now();
  const { status, stderr } = spawnSync(process.execPath, [launcher, 'workflow', 'resume', 'latest'], {
    cwd: dir,
    encoding: 'utf8',
  });
  if (status !== code) throw new Error(`the resume ended with ${status}:\n${stderr}`);
  const [file = ''] = globSync(join(dir, 'processed/workflows/large/*/report.json'));
  const report = JSON.parse(readFileSync(file, 'utf8')) as {
    steps: readonly { name: string; started_at?: string }[];
  };
  return Date.parse(report.steps.find(({ name }) => name === 'last')?.started_at ?? '') - asked;
}

/** The most memory that a `for_each` of so many items takes, against one of a tenth of them. */
async function memory(): Promise<void> {
  using project = benchProject(config(4));
  mkdirSync(join(project.dir, 'workflows'));
  const many = (name: string, count: number): void =>
    writeFileSync(
      join(project.dir, `workflows/${name}.yaml`),
      `name: ${name}
steps:
  - { name: list, type: custom_command, command: [${JSON.stringify(process.execPath)}, -e, "console.log(JSON.stringify([...Array(${count}).keys()]))"], ${off} }
  - { name: each, type: custom_command, needs: [list], for_each: "\${{ fromJSON(steps.list.result) }}", command: "/bin/true", ${off} }
`,
    );
  many('few', Math.ceil(items / 10));
  many('many', items);
  const few = await peak(project.dir, 'few');
  const started = performance.now();
  const most = await peak(project.dir, 'many');
  const perItem = (performance.now() - started) / items;
  line(
    `for_each of ${items} items: memory against ${Math.ceil(items / 10)}`,
    most / few,
    '≤ 2',
    `${mebibytes(most)} against ${mebibytes(few)}; ${perItem.toFixed(2)} ms an item`,
  );
}

/** Peak resident bytes of one `sluice workflow run`. */
async function peak(dir: string, workflow: string): Promise<number> {
  const child = spawn(process.execPath, [launcher, 'workflow', 'run', workflow], {
    cwd: dir,
    stdio: 'ignore',
  });
  let bytes = 0;
  const timer = setInterval(() => {
    try {
      const text = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      bytes = Math.max(bytes, 1_024 * Number(/VmHWM:\s*(\d+)/.exec(text)?.[1] ?? 0));
    } catch {
      // It has ended.
    }
  }, 50);
  const [code] = await once(child, 'exit');
  clearInterval(timer);
  if (code !== 0) throw new Error(`${workflow} ended with ${code}`);
  return bytes;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}

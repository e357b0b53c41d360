/**
 * A real agent CLI whose model answers at once: started by the daemon, confined as is the default, against the same program
 * with the same arguments, input and variables, started by this process and nothing around it. In turn, so that what drifts
 * in the machine drifts in both.
 */
import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempDisposableSync,
  openSync,
  readFileSync,
  renameSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { CliKind } from '../src/agents/cli/kind.ts';
import { builtinCliKinds } from '../src/agents/cli/kinds.ts';
import { planLaunch } from '../src/agents/cli/plan.ts';
import { CliProbe } from '../src/agents/cli/probe.ts';
import { baseEnvironment } from '../src/agents/environment.ts';
import { type CliAgent, isCliAgent } from '../src/config/config.ts';
import { loadConfig } from '../src/config/load.ts';
import type { AgentCall } from '../src/types/agent.ts';
import type { Receipt } from '../src/types/receipt.ts';
import { isInstalled, pinnedSpecs, placeOf } from '../test/clis/installed.ts';
import { pointers, stubAgents } from '../test/clis/pointers.ts';
import { startStub } from '../test/clis/stub-models.mjs';
import { childrenOf, cpuMsOf, cpuMsOfEnded } from './cpu.ts';
import { type BenchProject, benchProject, startDaemon } from './project.ts';
import { line, median, ratio } from './stats.ts';

const kinds = ['claude', 'codex', 'gemini'] as const;
type Name = (typeof kinds)[number];

export async function measureOverhead(rounds: number): Promise<void> {
  for (const name of kinds) {
    const spec = pinnedSpecs()[name] as string;
    if (isInstalled(spec)) await measure(name, placeOf(spec).bin, rounds);
    else process.stdout.write(`${name} is skipped: it is not installed (npm run test:clis -- ${name})\n`);
  }
}

async function measure(name: Name, bin: string, rounds: number): Promise<void> {
  const agent = {
    kind: name,
    ...stubAgents[name],
    budget: { usd_per_day: 1_000_000, unknown_cost: 'allow' },
    ...(process.env.SANDBOX === 'off' && { sandbox: { mode: 'off', reason: 'measured without it' } }),
  };
  using project = benchProject(`
routing_rules: [{ name: all, pattern: "**", agent: it, prompt: Do the task. }]
agents: { it: ${JSON.stringify(agent)} }
daemon: { min_free_disk: 1MiB }
`);
  const { dir } = project;
  execFileSync('git', ['init', '-q', dir]);
  const stub = await startStub();
  // Where homes are: beside the project.
  using homeDir = mkdtempDisposableSync(join(tmpdir(), 'sluice-bench-home-'));
  const home = homeDir.path;
  const env = {
    ...{ PATH: `${bin}:${process.env.PATH}`, HOME: home, LANG: process.env.LANG ?? 'C.UTF-8' },
    ...pointers[name](stub.url, 'text', home, dir),
  };
  const bare = await bareRuns(project, name, env);
  const { PWD: _, ...own } = process.env;
  await using daemon = await startDaemon(dir, { ...own, ...env });
  const pids = [daemon.child.pid as number, ...childrenOf(daemon.child.pid as number)];
  const cpuNow = (): number => pids.reduce((sum, pid) => sum + cpuMsOf(pid), 0);

  const alone: number[] = [];
  const attempts: number[] = [];
  const whole: number[] = [];
  let ownCpu = 0;
  let cliCpu = 0;
  for (let n = -1; n < rounds; n += 1) {
    const ended = cpuMsOfEnded();
    const aloneMs = await bare(n);
    const cpu = cpuNow();
    const { attemptMs, wholeMs } = await dropped(project, `${n}.md`);
    // The first of each fills caches and asks for versions.
    if (n < 0) continue;
    alone.push(aloneMs);
    attempts.push(attemptMs);
    whole.push(wholeMs);
    cliCpu += cpuMsOfEnded() - ended;
    ownCpu += cpuNow() - cpu;
  }
  await stub.close();
  const against = (ms: readonly number[]): string =>
    `${median(ms).toFixed(0)} against ${median(alone).toFixed(0)} ms`;
  line(
    `${name}: an attempt, start to exit (peer: itself, bare)`,
    ratio(attempts, alone),
    '≤ 1.05',
    against(attempts),
  );
  line(`${name}: from the file's arrival to its receipt`, ratio(whole, alone), '≤ 1.05', against(whole));
  line(
    `${name}: CPU of daemon and helper, per job`,
    ownCpu / cliCpu,
    '',
    `${(ownCpu / rounds).toFixed(0)} ms; the CLI takes ${(cliCpu / rounds).toFixed(0)} ms`,
  );
}

/** Starts what the daemon would start, as the same code plans it. */
async function bareRuns(
  { dir, inbox }: BenchProject,
  name: Name,
  daemonEnv: Readonly<Record<string, string>>,
): Promise<(n: number) => Promise<number>> {
  const { config } = await loadConfig(join(dir, 'config/orchestrator.yaml'));
  const agent = config.agents.get('it');
  if (!agent || !isCliAgent(agent)) throw new Error('the configuration has no agent "it"');
  const kind = builtinCliKinds.get(name) as CliKind;
  using probe = new CliProbe({ env: daemonEnv, projectDir: dir });
  const { file, version } = await probe.find(kind, agent);
  const passed = Object.entries(daemonEnv).filter(([key]) => isPassed(kind, agent, key));
  const env = { ...baseEnvironment(daemonEnv), ...Object.fromEntries(passed) };
  const login = await kind.loginState({ env, home: env.HOME as string });
  return async (n) => {
    const workDir = join(dir, 'bare', String(n));
    const outputDir = join(workDir, 'outputs');
    for (const folder of [outputDir, join(workDir, 'tmp')]) mkdirSync(folder, { recursive: true });
    const input = join(workDir, 'input.md');
    writeFileSync(input, textOf(`bare ${n}`));
    const given = { root: 'inbox', rootDir: inbox, path: 'input.md', file: input, sha256: '', bytes: 0 };
    const call: AgentCall = {
      ...{ jobId: `bare${n}`, attempt: 1, sessionId: 's', agent, rule: 'all', depth: 0, journal: '{}' },
      ...{ input: given, inputs: [given], rootDirs: [inbox], projectDir: dir, workDir, outputDir },
      prompt: 'Do the task.',
    };
    const sessionId = randomUUID();
    const { launch, cwd } = planLaunch({
      kind,
      agent,
      call,
      version,
      env,
      login,
      sessionId,
      isConfined: true,
    });
    const stdin = join(workDir, 'stdin');
    for (const [path, text] of [...launch.files, [stdin, launch.stdin ?? ''] as const]) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
    for (const [path, target] of launch.links ?? []) if (existsSync(target)) symlinkSync(target, path);
    const fds = [
      openSync(stdin, 'r'),
      openSync(join(workDir, 'out'), 'w'),
      openSync(join(workDir, 'err'), 'w'),
    ];
    const started = performance.now();
    const child = spawn(file, launch.args, {
      ...{ cwd, stdio: fds, detached: true },
      env: { ...env, TMPDIR: join(workDir, 'tmp'), ...launch.env, SLUICE_JOB_ID: call.jobId },
    });
    const [code] = await once(child, 'exit');
    const ms = performance.now() - started;
    for (const fd of fds) closeSync(fd);
    if (code !== 0)
      throw new Error(`${name} exited with ${code}: ${readFileSync(join(workDir, 'err'), 'utf8')}`);
    return ms;
  };
}

function isPassed(kind: CliKind, agent: CliAgent, name: string): boolean {
  const isOwn = kind.environment.some((one) =>
    one.endsWith('*') ? name.startsWith(one.slice(0, -1)) : name === one,
  );
  return isOwn || agent.env.some((entry) => entry.name === name);
}

/** Puts a file into the inbox at once, whole, and waits until its receipt stands there. */
async function dropped(
  { dir, inbox }: BenchProject,
  name: string,
): Promise<{ attemptMs: number; wholeMs: number }> {
  const file = join(dir, name);
  writeFileSync(file, textOf(`dropped ${name}`));
  const receipt = join(dir, 'processed/files/inbox', name, 'receipt.json');
  const started = performance.now();
  renameSync(file, join(inbox, name));
  await appeared(receipt);
  const wholeMs = performance.now() - started;
  const { state, attempts, message } = JSON.parse(readFileSync(receipt, 'utf8')) as Receipt;
  const [attempt] = attempts;
  if (state !== 'succeeded' || attempt === undefined || attempts.length > 1)
    throw new Error(`${name} ${state} after ${attempts.length} attempts: ${message}`);
  return { attemptMs: Date.parse(attempt.ended_at) - Date.parse(attempt.started_at), wholeMs };
}

/** Heard of, not looked for again and again: that would take time from what is measured. */
async function appeared(file: string): Promise<void> {
  const nearest = (path: string): string => (existsSync(path) ? path : nearest(dirname(path)));
  for (let there = nearest(file); there !== file; there = nearest(file)) {
    const watcher = watch(there);
    if (nearest(file) === there) await once(watcher, 'change');
    watcher.close();
  }
}

function textOf(what: string): string {
  return `# ${what}\n\n${'Some words to work on. '.repeat(40)}\n`;
}

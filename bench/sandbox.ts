/**
 * What confinement costs: the same command started by the daemon with `sandbox: off` and confined, in turn, in one run:
 * `node bench/sandbox.ts [rounds]`. The default lists of blocked and confirm-first commands are in force.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createAgents } from '../src/agents/agents.ts';
import type { AgentConfig, SandboxConfig } from '../src/config/config.ts';
import { line, median, ratio } from './stats.ts';

const rounds = Number(process.argv[2] ?? 60);
const dir = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
const stateDir = join(dir, '.sluice');
mkdirSync(join(dir, 'inbox'), { recursive: true });
mkdirSync(stateDir);
writeFileSync(join(dir, 'inbox/a.txt'), 'a'.repeat(10_000));
for (let i = 0; i < 2_000; i += 1) writeFileSync(join(dir, `inbox/f${i}`), '');
const quiet = {
  resolve: (text: string) => text,
  register: () => {},
  redact: (text: string) => text,
  redactFile: async () => {},
};
const never = new AbortController().signal;
const confined: SandboxConfig = {
  ...{ mode: 'required', write: [], network: 'none' },
  blocked: [['dd'], ['mkfs'], ['fdisk'], ['sudo'], ['su'], ['shutdown'], ['reboot']],
  confirm: [
    ['git', 'push'],
    ['npm', 'publish'],
    ['pip', 'install'],
  ],
};
const commands: readonly (readonly string[])[] = [
  ['true'],
  ['sh', '-c', 'sha256sum "$SLUICE_FILE" | cut -c1-8'],
  ['python3', '-c', 'import json, re, subprocess'],
  ['node', '-e', '0'],
];

const agents = await createAgents({
  ...{ stateDir, projectDir: dir, tag: `bench-${process.pid}`, graceMs: 200, secrets: quiet },
  conditions: { raise: () => {}, clear: () => {} },
});
let count = 0;

async function once(command: readonly string[], sandbox: SandboxConfig): Promise<number> {
  count += 1;
  const workDir = join(stateDir, 'work', String(count), '1');
  mkdirSync(join(workDir, 'outputs'), { recursive: true });
  const rootDir = join(dir, 'inbox');
  const input = {
    root: 'inbox',
    rootDir,
    path: 'a.txt',
    file: join(rootDir, 'a.txt'),
    sha256: '',
    bytes: 10_000,
  };
  const agent: AgentConfig = {
    ...{ kind: 'command', name: 'bench', command, capabilities: [], priority: 0, fallback: [], maxLoad: 1 },
    ...{ limits: { required: false }, maxRepeats: Number.POSITIVE_INFINITY, workspace: 'in_place' },
    ...{
      timeoutMs: 60_000,
      retry: { attempts: 1, initialMs: 1, maxMs: 1 },
      maxOutputBytes: 1 << 20,
      env: [],
      sandbox,
    },
  };
  const began = performance.now();
  const { outcome, stderrTail } = await agents.run(
    {
      ...{
        jobId: `j${count}`,
        attempt: 1,
        sessionId: 's',
        agent,
        rule: 'r',
        depth: 0,
        input,
        inputs: [input],
      },
      ...{
        rootDirs: [rootDir],
        journal: '{}',
        projectDir: dir,
        workDir,
        outputDir: join(workDir, 'outputs'),
      },
    },
    never,
  );
  if (outcome.kind !== 'exited' || outcome.exitCode !== 0)
    throw new Error(JSON.stringify([outcome, stderrTail]));
  return performance.now() - began;
}

try {
  for (const command of commands) {
    if (spawnSync('which', [command[0] ?? '']).status !== 0) continue;
    const off: number[] = [];
    const on: number[] = [];
    for (let i = 0; i < rounds; i += 1) {
      off.push(await once(command, { mode: 'off', reason: 'to compare' }));
      on.push(await once(command, confined));
    }
    const detail = `${median(off).toFixed(1)} → ${median(on).toFixed(1)} ms`;
    line(`confined launch: ${command.slice(0, 2).join(' ')}`, ratio(on, off), '≤ 2.5', detail);
  }
} finally {
  await agents[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
}

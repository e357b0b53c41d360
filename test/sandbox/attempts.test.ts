/** Confinement as agents have it: whole attempts through the spawner, and what their results say. */
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Agents, createAgents } from '../../src/agents/agents.ts';
import type { SandboxConfig } from '../../src/config/config.ts';
import type { Approval } from '../../src/sandbox/approvals.ts';
import { explainSandboxFailure } from '../../src/sandbox/hints.ts';
import type { Condition } from '../../src/types/condition.ts';
import { agent, call, never, newTag, noSecrets, processesWith, tempDir, until } from '../agents/attempts.ts';
import { noSandbox, strict } from './rig.ts';

describe.skipIf(noSandbox !== undefined)(`whole attempts (${noSandbox ?? 'works here'})`, () => {
  let dir: string;
  let agents: Agents;
  const raised = new Map<string, Omit<Condition, 'since'>>();
  const conditions = {
    raise: (condition: Omit<Condition, 'since'>) =>
      void raised.set(`${condition.code} ${condition.subject}`, condition),
    clear: (code: string, subject = '') => void raised.delete(`${code} ${subject}`),
  };

  beforeAll(async () => {
    dir = tempDir();
    const stateDir = join(dir, '.sluice');
    for (const name of ['.sluice', 'inbox', 'home']) mkdirSync(join(dir, name));
    writeFileSync(join(dir, 'inbox/a.txt'), 'input');
    const env = { PATH: process.env.PATH, HOME: join(dir, 'home') };
    agents = await createAgents({
      ...{ stateDir, projectDir: dir, tag: newTag(), graceMs: 1_000, secrets: noSecrets, conditions, env },
    });
  });
  afterAll(() => agents[Symbol.asyncDispose]());

  const attemptOf = (command: readonly string[], sandbox: SandboxConfig = strict) =>
    call(dir, agent({ kind: 'command', command }, { sandbox }), 'a.txt');
  const run = (command: readonly string[], sandbox?: SandboxConfig, signal = never) =>
    agents.run(attemptOf(command, sandbox), signal);
  const sh = (script: string) => ['sh', '-c', script];

  test('the result says what was in force', async () => {
    const confined = await run(['cat', '${{ file.path }}']);
    expect(confined).toMatchObject({
      outcome: { kind: 'exited', exitCode: 0 },
      sandbox: { mode: 'required', backend: 'bwrap', network: 'none' },
    });
    expect(readFileSync(confined.resultFile as string, 'utf8')).toBe('input');
    const off = await run(sh('touch made'), { mode: 'off', reason: 'mine' });
    expect(off.sandbox).toEqual({ mode: 'off', reason: 'mine' });
    expect(existsSync(join(dir, 'made'))).toBe(true);
  });

  test('what everything inside has used is counted, also that of several at once', async () => {
    // Much more than the sandbox itself takes.
    const busy = sh('i=0; while [ $i -lt 600000 ]; do i=$((i+1)); done');
    const idle = await run(sh('sleep 0.1'));
    const one = await run(busy);
    expect(one.cpuMs).toBeGreaterThan(3 * (idle.cpuMs ?? 0));
    const both = await Promise.all([run(busy), run(busy)]);
    const sum = both.reduce((total, { cpuMs = 0 }) => total + cpuMs, 0);
    expect(sum).toBeGreaterThan(one.cpuMs ?? 0);
  });

  test('a write that is refused comes with the key that would allow it', async () => {
    const { outcome, stderrTail, sandbox } = await run(sh('echo x > made'));
    expect(outcome).toMatchObject({ kind: 'exited' });
    expect(explainSandboxFailure(stderrTail, sandbox)).toContain('write: [project]');
    expect((await run(sh('echo x > made'), { ...strict, write: ['project'] })).outcome).toMatchObject({
      exitCode: 0,
    });
    expect((await run(sh('echo x > inbox/new'), { ...strict, write: ['workspace'] })).outcome).toMatchObject({
      exitCode: 0,
    });
  });

  test('commands that cannot be started say so, inside as outside', async () => {
    expect((await run(['no-such-command'])).outcome).toMatchObject({ kind: 'spawn_failed', code: 'ENOENT' });
    writeFileSync(join(dir, 'bad.sh'), '#!/no/such/interpreter\n');
    chmodSync(join(dir, 'bad.sh'), 0o755);
    const { outcome } = await run(['./bad.sh']);
    expect(outcome).toMatchObject({ kind: 'spawn_failed', code: 'ENOENT' });
  });

  test('what sounds like the sandbox’s own failure is the command’s, when the sandbox works', async () => {
    const { outcome } = await run(sh('echo "bwrap: it is all broken" >&2; exit 1'));
    expect(outcome).toEqual({ kind: 'exited', exitCode: 1 });
  });

  test('a file that vanishes between the look and the start is looked for again', async () => {
    const secret = join(dir, 'inbox/secret');
    writeFileSync(secret, 's', { mode: 0o600 });
    expect((await run(['true'])).outcome).toMatchObject({ exitCode: 0 });
    // The look is kept for a second: it still names the file.
    rmSync(secret);
    expect((await run(['true'])).outcome).toMatchObject({ exitCode: 0 });
  });

  test('a polite end reaches the command inside', async () => {
    const controller = new AbortController();
    const marker = `sluice-polite-${process.pid}`;
    const attempt = attemptOf(
      sh(
        `trap 'echo asked > "$SLUICE_OUTPUT_DIR/asked"; exit 0' TERM; : ${marker} > "$SLUICE_OUTPUT_DIR/ready"; while :; do sleep 0.05; done`,
      ),
    );
    const running = agents.run(attempt, controller.signal);
    await until('the command waits', () => existsSync(join(attempt.outputDir, 'ready')));
    controller.abort('enough');
    expect((await running).outcome).toEqual({ kind: 'cancelled', reason: 'enough' });
    expect(readdirSync(attempt.outputDir).toSorted()).toEqual(['asked', 'ready']);
    expect(processesWith(marker)).toEqual([]);
  });

  test('a blocked command fails the attempt with its name; one that goes on is told', async () => {
    const sandbox = { ...strict, blocked: [['rm', '-rf']] };
    const failed = await run(sh('cd "$SLUICE_OUTPUT_DIR"; mkdir x; rm -rf x'), sandbox);
    expect(failed.outcome).toEqual({ kind: 'refused_command', command: 'rm -rf' });
    const went = await run(sh('rm -rf x; echo went on'), sandbox);
    expect(went).toMatchObject({ outcome: { kind: 'exited', exitCode: 0 } });
    expect(went.stderrTail).toContain('sluice: refused: rm -rf');
  });

  test('a command that must be confirmed waits, and goes on with the answer', async () => {
    const sandbox = { ...strict, confirm: [['git', 'push']] };
    const attempt = attemptOf(sh('git push origin main || echo "exit $?"'), sandbox);
    const running = agents.run(attempt, never);
    const [{ command, jobId }] = (await once(agents.approvals, 'wanted', {
      signal: AbortSignal.timeout(60_000),
    })) as [Approval];
    expect({ command, jobId }).toEqual({ command: 'git push origin main', jobId: attempt.jobId });
    agents.approvals.answer(attempt.jobId, 'refuse');
    const result = await running;
    expect(readFileSync(result.resultFile as string, 'utf8')).toBe('exit 126\n');
    expect(result.stderrTail).toContain('git push was not approved');
    expect(existsSync(join(attempt.workDir, 'approvals'))).toBe(false);
  });

  test('with a sandbox no agent has a condition, nor after it is gone', async () => {
    const tested = agent({ kind: 'command', command: ['true'] });
    const listed = agent(
      { kind: 'command', command: ['true'] },
      { name: 'listed', sandbox: { ...strict, network: ['a.example'] } },
    );
    await agents.follow([tested, listed]);
    expect([...raised.keys()].filter((key) => key.endsWith('tested'))).toEqual([]);
    await agents.follow([tested]);
    expect([...raised.keys()]).toEqual([]);
  });
});

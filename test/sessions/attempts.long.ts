/** State as agents have it: real attempts with \`sluice\` on their PATH, confined and not. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Agents, createAgents } from '../../src/agents/agents.ts';
import type { SandboxConfig } from '../../src/config/config.ts';
import { openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import { hostsProblem } from '../../src/sandbox/hosts.ts';
import { AttemptStates } from '../../src/sessions/attempts.ts';
import { Sessions } from '../../src/sessions/sessions.ts';
import { agent, call, never, newTag, noConditions, noSecrets, until } from '../agents/attempts.ts';
import { noSandbox, strict } from '../sandbox/rig.ts';
import { tempFolder } from './rig.ts';

const off: SandboxConfig = { mode: 'off', reason: 'a test' };
const ways: readonly [string, SandboxConfig][] = [
  ['without a sandbox', off],
  ...(noSandbox === undefined ? [['confined', strict] as [string, SandboxConfig]] : []),
];
test.skipIf(noSandbox !== undefined)(`confined (${noSandbox ?? 'works here'})`, () => {});

class Rig {
  readonly dir: string;
  readonly sessions: Sessions;
  readonly states: AttemptStates;
  readonly agents: Agents;
  #attempts = 0;

  constructor(dir: string, sessions: Sessions, states: AttemptStates, agents: Agents) {
    this.dir = dir;
    this.sessions = sessions;
    this.states = states;
    this.agents = agents;
  }

  /** @param holder Default: another for each attempt. */
  async run(
    script: string,
    o: {
      sandbox?: SandboxConfig;
      name?: string;
      session?: string;
      env?: Record<string, string>;
      signal?: AbortSignal;
    } = {},
  ) {
    const { sandbox = off, name = 'tested', session = 'one', env = {}, signal = never } = o;
    this.#attempts += 1;
    const holder = `job.${this.#attempts}`;
    const state = await this.states.grant({ session, agent: name, holder });
    if (!state) throw new Error('no state');
    const entries = Object.entries(env).map(([key, value]) => ({ kind: 'set', name: key, value }) as const);
    const tested = agent({ kind: 'command', command: ['sh', '-c', script] }, { name, sandbox, env: entries });
    const attempt = call(this.dir, tested, 'a.txt', { sessionId: session, state });
    const result = await this.agents.run(attempt, signal);
    await this.states.revoke(holder);
    const { outcome, stderrTail, resultFile } = result;
    const stdout = resultFile === undefined ? '' : readFileSync(resultFile, 'utf8');
    return { outcome, stdout, stderr: stderrTail, state, attempt };
  }

  async value(key: string, session = 'one'): Promise<unknown> {
    const owner = this.sessions.stateOf({ session, by: 'cli', holder: 'the owner' });
    return (await owner.get(key))?.value;
  }
}

async function openRig(dir = tempFolder()): Promise<Rig> {
  const stateDir = join(dir, '.sluice');
  for (const name of ['.sluice', 'inbox', 'home']) mkdirSync(join(dir, name), { recursive: true });
  writeFileSync(join(dir, 'inbox/a.txt'), 'input');
  const { ledger } = openSqliteLedger({ stateDir });
  const sessions = new Sessions({ ledger: ledger.sessions, durable: () => ledger.durable(), now: Date.now });
  // The built one: it starts in a tenth of the time.
  const entry = fileURLToPath(new URL('../../dist/cli/state-main.js', import.meta.url));
  const states = new AttemptStates({ sessions, stateDir, env: {}, conditions: noConditions, entry });
  const env = { PATH: process.env.PATH, HOME: join(dir, 'home') };
  const agents = await createAgents({
    ...{ stateDir, projectDir: dir, tag: newTag(), graceMs: 300, secrets: noSecrets },
    ...{ conditions: noConditions, env },
  });
  onTestFinished(async () => {
    await agents[Symbol.asyncDispose]();
    await states[Symbol.asyncDispose]();
    await sessions[Symbol.asyncDispose]();
    await ledger[Symbol.asyncDispose]();
  });
  for (const id of ['one', 'two']) await sessions.open({ id, kind: 'run', title: '' });
  return new Rig(dir, sessions, states, agents);
}

const ok = { kind: 'exited', exitCode: 0 };

describe.each(ways)('%s', (_, sandbox) => {
  test('an agent reads and writes the state of its session', async () => {
    const rig = await openRig();
    const { outcome, stdout, stderr } = await rig.run(
      `set -e
      sluice state set greeting 'hello  "world"'
      sluice state get greeting
      sluice state set count --json-value '{"n":[1,null]}' --if-revision 0
      sluice state get count
      sluice state set mine --private secret
      sluice state get mine --private
      printf 'two\\nlines\\n' | sluice state set text -
      sluice state get text
      sluice state get text --json
      sluice state set greeting - --if-revision 7 </dev/null && exit 9
      sluice state get nothing && exit 9
      echo '[{"op":"set","key":"x","value":1},{"op":"delete","key":"text"}]' | sluice state transaction
      sluice state set -- -dashed '--value'
      sluice state get -- -dashed
      sluice state list`,
      { sandbox },
    );
    expect(outcome, stderr).toEqual(ok);
    const lines = stdout.split('\n');
    expect(lines.slice(0, 5)).toEqual(['hello  "world"', '{"n":[1,null]}', 'secret', 'two', 'lines']);
    expect(JSON.parse(lines[5] ?? '')).toMatchObject({
      key: 'text',
      value: 'two\nlines',
      revision: 1,
      by: 'tested',
    });
    expect(JSON.parse(lines[6] ?? '')).toEqual({
      revisions: [
        { type: 'shared', key: 'x', revision: 1 },
        { type: 'shared', key: 'text', revision: 2 },
      ],
    });
    expect(lines[7]).toBe('--value');
    expect(lines.slice(8).join('\n')).toMatch(/key +type[\s\S]*mine +private \(tested\)/);
    expect(stderr).toContain('"greeting" is at revision 1');
    expect(stderr).toContain('There is no value under "nothing"');
    expect(await rig.value('greeting')).toBe('hello  "world"');
  });

  test('twenty transactions at once lose nothing', async () => {
    const rig = await openRig();
    const { outcome, stderr } = await rig.run(
      `for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        echo '[{"op":"add","key":"n"},{"op":"set","key":"last","value":'$i'}]' | sluice state transaction >"$SLUICE_OUTPUT_DIR/$i" &
      done
      wait`,
      { sandbox },
    );
    expect(outcome, stderr).toEqual(ok);
    expect(await rig.value('n')).toBe(20);
  });

  test('read, compute, write by revision: whoever comes late tries again', async () => {
    const rig = await openRig();
    const script = join(rig.dir, 'count.sh');
    writeFileSync(
      script,
      `until
        entry=$(sluice state get n --json) && revision=$(echo "$entry" | sed 's/.*"revision":\\([0-9]*\\).*/\\1/')
        value=$(echo "$entry" | sed 's/.*"value":\\([0-9]*\\).*/\\1/')
        sluice state set n --json-value $((value + 1)) --if-revision "$revision" 2>/dev/null
      do :; done\n`,
    );
    const { outcome, stderr } = await rig.run(
      `sluice state set n --json-value 0; for i in 1 2 3 4; do sh ${script} & done; wait`,
      { sandbox },
    );
    expect(outcome, stderr).toEqual(ok);
    expect(await rig.value('n')).toBe(4);
  });

  test('a lock: one at a time, the command’s own exit status, and what holds it killed with -9', async () => {
    const rig = await openRig();
    const { outcome, stdout, stderr } = await rig.run(
      `f="$SLUICE_OUTPUT_DIR/f"; echo 0 >"$f"
      for i in 1 2 3 4 5; do
        sluice state lock count -- sh -c 'n=$(cat "$0"); sleep 0.02; echo $((n + 1)) >"$0"' "$f" &
      done
      wait
      cat "$f"
      sluice state lock count -- sh -c 'exit 7'; echo $?
      sluice state lock count --wait 0s -- no-such-command; echo $?
      sluice state lock count -- sh -c 'sluice state lock count --wait 0s -- true; echo $?'
      sluice state lock count --ttl 1s -- sh -c 'kill -9 $PPID'; echo $?
      sluice state lock count --wait 1m -- echo mine`,
      { sandbox },
    );
    expect(outcome, stderr).toEqual(ok);
    expect(stdout).toBe('5\n7\n127\n1\n137\nmine\n');
    expect(stderr).toContain('The lock "count" is held');
  });

  test('no other session, and nothing after the end', async () => {
    const rig = await openRig();
    const owner = rig.sessions.stateOf({ session: 'two', by: 'cli', holder: 'the owner' });
    await owner.commit([{ op: 'set', type: 'shared', key: 'a', value: 'of two' }]);
    const first = await rig.run('sluice state set a "of one"', { sandbox });
    expect(first.outcome, first.stderr).toEqual(ok);
    const { outcome, stdout, stderr } = await rig.run(
      `sluice state get a
      sluice state get a --session two
      sluice state get a --agent other
      SLUICE_STATE_TOKEN=${first.state.token} sluice state get a
      SLUICE_STATE_TOKEN=wrong sluice state set a b
      SLUICE_SESSION_ID=two sluice state get a --session two`,
      { sandbox },
    );
    expect(outcome).toEqual(ok);
    // What the environment says of the session is no right: the token decides.
    expect(stdout).toBe('of one\nof one\n');
    expect(stderr).toContain('belongs to session one');
    expect(stderr.match(/opens no session/g)).toHaveLength(2);
    expect(await rig.value('a')).toBe('of one');
    expect(await rig.value('a', 'two')).toBe('of two');
  });
});

test('the end of an attempt lets go of its locks at once', async () => {
  const rig = await openRig();
  const stop = new AbortController();
  const first = rig.run('sluice state lock l --ttl 1h -- sh -c "sluice state set held yes; sleep 600"', {
    signal: stop.signal,
  });
  await until('the lock', async () => (await rig.value('held')) === 'yes');
  const second = rig.run('sluice state set waits yes; sluice state lock l -- echo mine');
  await until('the second', async () => (await rig.value('waits')) === 'yes');
  stop.abort('enough');
  expect((await first).outcome).toEqual({ kind: 'cancelled', reason: 'enough' });
  expect(await second).toMatchObject({ outcome: ok, stdout: 'mine\n' });
});

test('a step may be `sluice state` itself, where no such program is installed', async () => {
  const rig = await openRig();
  const state = await rig.states.grant({ session: 'one', agent: 'a', holder: 'h' });
  const tested = agent(
    { kind: 'command', command: ['sluice', 'state', 'set', 'a', 'b c'] },
    { sandbox: off },
  );
  expect(await rig.agents.available(tested)).toBeUndefined();
  const result = await rig.agents.run(call(rig.dir, tested, 'a.txt', { ...(state && { state }) }), never);
  expect(result.outcome).toEqual(ok);
  expect(await rig.value('a')).toBe('b c');
});

test('the whole program answers what is not written plainly, other commands too', async () => {
  const rig = await openRig();
  const { stdout, stderr } = await rig.run(
    'sluice state get --help; sluice state got; sluice state set a; sluice --version',
  );
  expect(stdout).toContain('--private');
  expect(stdout).toMatch(/^\d+\.\d+\.\d+$/m);
  expect(stderr).toContain("unknown command 'got'");
  expect(stderr).toContain('Give one value');
});

test.skipIf(noSandbox !== undefined)(
  `a sandbox shows that much of the state folder and no more; what is blocked stays so (${noSandbox ?? 'works here'})`,
  async () => {
    const rig = await openRig();
    const blocked = { ...strict, blocked: [['rm', '-rf']] };
    const { outcome, stdout, stderr, attempt } = await rig.run(
      `ls -A .sluice
      echo x 2>/dev/null >.sluice/commands/sluice && echo written
      rm -rf "$SLUICE_OUTPUT_DIR/x" || echo refused
      sluice state set a b && sluice state get a`,
      { sandbox: blocked },
    );
    expect(outcome, stderr).toEqual(ok);
    expect(stdout).toBe('commands\nshims\nstate.sock\nrefused\nb\n');
    expect(readdirSync(join(rig.dir, '.sluice'))).toContain('ledger.db');
    expect(attempt.state?.socket).toBe(join(rig.dir, '.sluice/state.sock'));
  },
);

const noHosts = noSandbox ?? hostsProblem(process.env.PATH ?? '')?.message;
test.skipIf(noHosts !== undefined)(
  `where only named hosts are reached (${noHosts ?? 'works here'})`,
  async () => {
    const rig = await openRig();
    const { outcome, stdout, stderr } = await rig.run('sluice state set a b && sluice state get a', {
      sandbox: { ...strict, network: ['localhost'] },
    });
    expect(outcome, stderr).toEqual(ok);
    expect(stdout).toBe('b\n');
  },
);

test.each(ways)('a project whose path is too long for a socket, %s', async (_, sandbox) => {
  const dir = join(tempFolder(), 'long '.repeat(20), "it's");
  mkdirSync(dir, { recursive: true });
  const rig = await openRig(dir);
  const { outcome, stdout, stderr } = await rig.run('sluice state set a b && sluice state get a', {
    sandbox,
  });
  expect(outcome, stderr).toEqual(ok);
  expect(stdout).toBe('b\n');
});

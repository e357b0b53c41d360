/** Real programs (shell scripts) asked for their version and flags, in every way in which that goes wrong. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import {
  type AskedAgent,
  type AskedKind,
  CliProbe,
  type ProbeOptions,
} from '../../../src/agents/cli/probe.ts';
import { Machine } from './programs.ts';

const kind: AskedKind = {
  ...{ name: 'claude', title: 'Claude Code', programs: ['claude', 'claude-code'] },
  ...{ install: 'npm install -g @anthropic-ai/claude-code', minimumVersion: '2.0.0' },
  ...{ versionArgs: ['--version'], helpArgs: ['--help'] },
};

function agent(program?: string, env: AskedAgent['env'] = []): AskedAgent {
  return {
    ...{ name: 'writer', env },
    cli: {
      ...{ tools: [], onQuota: 'wait', ...(program !== undefined && { program }) },
      permissions: { mode: 'read', ceiling: 'read', directories: [] },
    },
  };
}

function probe(machine: Machine, o: Partial<ProbeOptions> = {}): CliProbe {
  return new CliProbe({ env: machine.env, projectDir: machine.dir, ...o });
}

test('the program on PATH, its version and its flags; asked once', async () => {
  const machine = new Machine();
  const file = machine.answer('claude', '2.1.328 (Claude Code)', [
    '-p, --print',
    '--[no-]color',
    '--max-usd <n>',
  ]);
  const one = probe(machine);
  const all = await Promise.all(Array.from({ length: 5 }, () => one.find(kind, agent())));
  for (const found of all) expect(found).toEqual(all[0]);
  expect(all[0]).toMatchObject({ file, version: { text: '2.1.328' } });
  expect([...(all[0]?.version.flags ?? [])]).toEqual(['-p', '--print', '--color', '--no-color', '--max-usd']);
  expect(await one.find(kind, agent('./bin/claude'))).toMatchObject({ file });
  expect(machine.calls('claude')).toEqual(['--version', '--help']);
});

test('the names of the kind in their order, a path, a PATH of the agent', async () => {
  const machine = new Machine();
  const second = machine.answer('claude-code', '2.1.0');
  expect((await probe(machine).find(kind, agent())).file).toBe(second);
  const first = machine.answer('claude', '2.2.0');
  expect((await probe(machine).find(kind, agent())).file).toBe(first);
  expect((await probe(machine).find(kind, agent('claude-code'))).file).toBe(second);
  expect((await probe(machine).find(kind, agent('bin/claude'))).file).toBe(first);
  const bare = new CliProbe({ env: { PATH: '/usr/bin' }, projectDir: machine.dir });
  const own = [{ kind: 'set', name: 'PATH', value: `${machine.bin}:/usr/bin:/bin` }] as const;
  expect((await bare.find(kind, agent(undefined, own))).file).toBe(first);
});

test('it is asked in a home that is thrown away, and sees next to nothing of ours', async () => {
  const machine = new Machine();
  machine.put(
    'claude',
    'env > "$calls"; pwd >> "$calls"; mkdir -p "$HOME/.claude" "$TMPDIR/x"; touch "$HOME/.claude.json" here\ncat >> "$calls"; echo 2.1.0',
  );
  const env = {
    ...machine.env,
    ANTHROPIC_API_KEY: 'sk-secret',
    SLUICE_STATE_TOKEN: 't',
    CLAUDE_CONFIG_DIR: '/x',
  };
  await probe(machine, { env }).find(kind, agent());
  const seen = machine.calls('claude').join('\n');
  expect(seen).not.toMatch(/secret|SLUICE|CLAUDE_CONFIG_DIR|VITEST|NODE_/);
  const home = /^HOME=(.*)$/m.exec(seen)?.[1] as string;
  expect(seen).toContain(`TMPDIR=${home}`);
  expect(home).not.toBe(machine.env.HOME);
  expect(existsSync(home)).toBe(false);
  expect(readdirSync(machine.env.HOME as string)).toEqual([]);
});

interface Trouble {
  readonly body: string;
  readonly mode?: number;
  readonly message: RegExp;
  readonly fix: RegExp;
}
const again = /Install it again: `npm install -g @anthropic-ai\/claude-code`/;
const troubles: Readonly<Record<string, Trouble>> = {
  'too old': {
    body: 'echo "1.0.99 (Claude Code)"',
    message: /Claude Code 1\.0\.99 is too old .* 2\.0\.0/,
    fix: /Update it: `npm install -g/,
  },
  'no version': { body: 'echo hello', message: /names no version when called with `--version`/, fix: again },
  'a version in parts': { body: 'echo "release 2.1"', message: /names no version/, fix: again },
  'a stub that was never completed': {
    body: 'echo "Error: claude native binary not installed." >&2\necho >&2\necho "Run the postinstall manually: node install.cjs" >&2\nexit 1',
    message:
      /exits with 1: Error: claude native binary not installed\. Run the postinstall manually: node install\.cjs$/,
    fix: /with its install scripts: `npm install -g \S+ --ignore-scripts=false`/,
  },
  'fails in silence': { body: 'exit 7', message: /exits with 7 and says nothing/, fix: again },
  killed: { body: 'kill -SEGV $$', message: /is ended by SIGSEGV/, fix: again },
  'ten mebibytes': { body: 'head -c 10485760 /dev/zero', message: /prints more than 1 MiB/, fix: again },
  'colours and control characters': {
    body: String.raw`printf '\033[31mbroken\033[0m\a\r\n' ; exit 2`,
    message: /exits with 2: broken$/,
    fix: again,
  },
  'not executable': {
    body: 'echo 2.1.0',
    mode: 0o644,
    message: /"\S+\/claude" is not executable/,
    fix: /`chmod \+x \S+\/claude`/,
  },
};

test.each(Object.entries(troubles))(
  'a program that cannot be used: %s',
  async (_, { body, mode, message, fix }) => {
    const machine = new Machine();
    machine.put('claude', body, mode);
    const error = await probe(machine)
      .find(kind, agent())
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'AGENT_UNAVAILABLE' });
    expect(error).toHaveProperty('message', expect.stringMatching(/^Agent "writer" cannot run: /));
    expect(error).toHaveProperty('message', expect.stringMatching(message));
    expect(error).toHaveProperty('fix', expect.stringMatching(fix));
  },
);

test('not installed; a path that leads nowhere, to a folder, to something that is no program', async () => {
  const machine = new Machine();
  const why = (program?: string) =>
    probe(machine)
      .find(kind, agent(program))
      .catch((thrown: unknown) => thrown);
  expect(await why()).toMatchObject({
    message: expect.stringContaining('Claude Code is not installed: "claude" or "claude-code" is in none'),
    fix: expect.stringMatching(/Install it: `npm install .*agents\.writer\.program/),
  });
  expect(await why('./none')).toMatchObject({ message: expect.stringContaining('There is no file') });
  mkdirSync(join(machine.bin, 'claude'));
  expect(await why('./bin/claude')).toMatchObject({ message: expect.stringContaining('is a folder') });
  // A folder on PATH of the program's name is none of it.
  expect(await why()).toMatchObject({ message: expect.stringContaining('is not installed') });
  writeFileSync(join(machine.bin, 'claude-code'), '#!/nowhere/sh\n', { mode: 0o755 });
  expect(await why()).toMatchObject({ message: expect.stringContaining('(`#!`) names is not there') });
});

test('one whose interpreter is not on the PATH says which', async () => {
  const machine = new Machine();
  writeFileSync(join(machine.bin, 'claude'), '#!/usr/bin/env nosuchnode\n', { mode: 0o755 });
  await expect(probe(machine).find(kind, agent())).rejects.toMatchObject({
    message: expect.stringContaining('needs `nosuchnode`'),
    fix: expect.stringContaining('PATH'),
  });
});

test('one that hangs is ended with everything that it started, and so is one that leaves something behind', async () => {
  const machine = new Machine();
  const pids = join(machine.dir, 'pids');
  const loose = `setsid sh -c 'echo $$ >> ${pids}; : > ${pids}.loose; exec sleep 600' &
while [ ! -e ${pids}.loose ]; do :; done; rm ${pids}.loose`;
  machine.put('claude', `sleep 600 & echo $! >> ${pids}\n${loose}\nsleep 600`);
  const error = await probe(machine, { timeoutMs: 500 })
    .find(kind, agent())
    .catch((thrown: unknown) => thrown);
  expect(error).toHaveProperty('message', expect.stringContaining('did not answer within 0.5 s'));
  machine.put('claude', `sleep 600 & echo $! >> ${pids}\necho 2.1.0`);
  expect((await probe(machine).find(kind, agent())).version.text).toBe('2.1.0');
  machine.put('claude', `${loose}\necho 2.2.0`);
  expect((await probe(machine).find(kind, agent())).version.text).toBe('2.2.0');
  const started = readFileSync(pids, 'utf8').trim().split('\n').map(Number);
  // On a busy machine the one that hangs had not come that far.
  expect(started.length).toBeGreaterThanOrEqual(2);
  await vi.waitFor(() => expect(started.filter(isAlive)).toEqual([]), { timeout: 60_000 });
});

function isAlive(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.[0] !== 'Z';
  } catch {
    return false;
  }
}

test('help that cannot be had costs the flags only', async () => {
  const machine = new Machine();
  machine.put('claude', 'case "$*" in --help) exit 1;; *) echo 2.1.0;; esac');
  const { version } = await probe(machine).find(kind, agent());
  expect(version).toEqual({ text: '2.1.0' });
});

test('a program that was replaced is asked again, at once; a broken one that was mended, too', async () => {
  const machine = new Machine();
  machine.answer('claude', '2.1.0');
  const one = probe(machine);
  expect((await one.find(kind, agent())).version.text).toBe('2.1.0');
  machine.answer('claude', '2.2.0');
  expect((await one.find(kind, agent())).version.text).toBe('2.2.0');
  machine.put('claude', 'echo "$*" >> "$calls"; exit 1');
  for (let i = 0; i < 3; i++) await expect(one.find(kind, agent())).rejects.toThrow(/exits with 1/);
  expect(machine.calls('claude').slice(4)).toEqual(['--version']);
  machine.answer('claude', '2.3.0');
  expect((await one.find(kind, agent())).version.text).toBe('2.3.0');
  rmSync(join(machine.bin, 'claude'));
  await expect(one.find(kind, agent())).rejects.toThrow(/is not installed/);
});

test('a link that leads elsewhere is another program', async () => {
  const machine = new Machine();
  machine.answer('versions/2.1.0', '2.1.0');
  machine.answer('versions/2.2.0', '2.2.0');
  symlinkSync('versions/2.1.0', join(machine.bin, 'claude'));
  const one = probe(machine);
  const first = await one.find(kind, agent());
  expect(first).toMatchObject({ file: join(machine.bin, 'claude'), version: { text: '2.1.0' } });
  rmSync(join(machine.bin, 'claude'));
  symlinkSync('versions/2.2.0', join(machine.bin, 'claude'));
  expect((await one.find(kind, agent())).version.text).toBe('2.2.0');
});

test('one that is replaced while it is asked gives no mixture of both', async () => {
  const machine = new Machine();
  machine.put('next', 'case "$*" in *help*) echo --new;; *) echo 2.9.0;; esac');
  const next = join(machine.bin, 'next');
  machine.put(
    'claude',
    `case "$*" in *help*) echo --old;; *) echo 2.1.0; mv ${next} ${join(machine.bin, 'claude')};; esac`,
  );
  const { version } = await probe(machine).find(kind, agent());
  expect(version).toEqual({ text: '2.9.0', flags: new Set(['--new']) });
  machine.put('claude', 'touch "$0"; echo 2.1.0');
  await expect(probe(machine).find(kind, agent())).rejects.toThrow(/being replaced again and again/);
});

class Kept {
  readonly rows = new Map<string, unknown>();
  async get(_kind: string, name: string): Promise<unknown> {
    return this.rows.get(name);
  }
  async put(_kind: string, name: string, value: unknown): Promise<void> {
    this.rows.set(name, JSON.parse(JSON.stringify(value)));
  }
}

test('what was asked is known to a later process, until the file changes or a day has gone', async () => {
  const machine = new Machine();
  machine.answer('claude', '2.1.0', ['--json', '-C']);
  const kept = new Kept();
  const first = await probe(machine, { kept }).find(kind, agent());
  expect(await probe(machine, { kept }).find(kind, agent())).toEqual(first);
  expect(machine.calls('claude')).toHaveLength(2);

  for (const change of [
    { at: Date.now() - 25 * 3600_000 },
    { at: Date.now() + 3600_000 },
    { stamp: 'another' },
    { asked: 'in another way' },
    { flags: 'none' },
  ]) {
    const [name, row] = [...kept.rows][0] as [string, object];
    kept.rows.set(name, { ...row, ...change });
    const before = machine.calls('claude').length;
    await probe(machine, { kept }).find(kind, agent());
    expect(machine.calls('claude').length - before, JSON.stringify(change)).toBe(2);
  }
});

test('what is broken, or did not tell everything, is not kept; a ledger that fails costs only time', async () => {
  const machine = new Machine();
  const kept = new Kept();
  machine.put('claude', 'exit 1');
  await expect(probe(machine, { kept }).find(kind, agent())).rejects.toThrow();
  machine.put('claude', 'case "$*" in --help) exit 1;; *) echo 2.1.0;; esac');
  await probe(machine, { kept }).find(kind, agent());
  expect(kept.rows.size).toBe(0);
  const full = async () => Promise.reject(new Error('disk full'));
  machine.answer('claude', '2.1.0');
  const found = await probe(machine, { kept: { get: full, put: full } }).find(kind, agent());
  expect(found.version.flags).toEqual(new Set(['--json']));
});

test('at most two programs are asked at once', async () => {
  const machine = new Machine();
  const log = join(machine.dir, 'log');
  const names = ['a', 'b', 'c', 'd', 'e'];
  for (const name of names)
    machine.put(
      name,
      `echo start >> ${log}; until [ "$(grep -c start ${log})" -ge 2 ]; do :; done; sleep 0.05; echo end >> ${log}; echo 2.1.0`,
    );
  const one = probe(machine);
  await Promise.all(names.map((name) => one.find(kind, agent(name))));
  let [now, most] = [0, 0];
  for (const line of readFileSync(log, 'utf8').trim().split('\n')) {
    now += line === 'start' ? 1 : -1;
    most = Math.max(most, now);
  }
  expect(most).toBe(2);
});

test('when the probe goes, what is being asked ends at once', async () => {
  const machine = new Machine();
  const started = join(machine.dir, 'started');
  machine.put('claude', `touch ${started}; sleep 600`);
  const one = probe(machine);
  const waiting = one.find(kind, agent()).catch((thrown: unknown) => thrown);
  await vi.waitFor(() => expect(existsSync(started)).toBe(true), { timeout: 60_000, interval: 5 });
  one[Symbol.dispose]();
  one[Symbol.dispose]();
  const winner = await Promise.race([waiting, sleep(60_000, 'late', { ref: false })]);
  expect(winner).toMatchObject({ code: 'AGENT_UNAVAILABLE' });
  await expect(one.find(kind, agent())).rejects.toMatchObject({ code: 'AGENT_UNAVAILABLE' });
});

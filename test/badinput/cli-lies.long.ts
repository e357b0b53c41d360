/** Agent CLIs that fail, lie or misbehave, as the built program meets them: none is green without proof, each has its reason. */
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { answers, type FakeKind, type Play, recorded, type Step, voices } from '../agents/cli/fakes/fakes.ts';
import { until } from '../daemon/project.ts';
import { fakeAgent, makeCliProject } from './cli-rig.ts';
import { processesOf } from './rig.ts';

const kinds = ['codex', 'gemini', 'claude'] as const;

interface Case {
  readonly steps: (kind: FakeKind) => readonly Step[];
  readonly state: string;
  readonly reason?: string;
  readonly message?: RegExp;
  readonly attempts?: number;
}

const quick = 'retry: { attempts: 2, initial: 10ms }, idle_timeout: 20s, max_repeats: 5';

const cases: Readonly<Record<string, Case>> = {
  well: { steps: (kind) => answers(kind), state: 'succeeded' },
  'a success that exits with 3': {
    steps: (kind) => [...answers(kind), { err: 'could not save\n' }, { exit: 3 }],
    ...{ state: 'failed', reason: 'exit_code', message: /exited with 3: could not save/ },
  },
  'nothing at all': { steps: () => [], ...{ state: 'failed', reason: 'empty_result', attempts: 2 } },
  'no last word': {
    steps: (kind) => [{ out: voices[kind].began + voices[kind].said('Soon.') }],
    ...{ state: 'failed', reason: 'empty_result', message: /without its last word/, attempts: 2 },
  },
  'an empty answer': {
    steps: (kind) => [{ out: voices[kind].began + voices[kind].done('') }],
    ...{ state: 'failed', reason: 'empty_result', message: /gave no answer/ },
  },
  'an answer of blanks': {
    steps: (kind) => answers(kind, ' \n\t '),
    ...{ state: 'failed', reason: 'empty_result' },
  },
  'half a line': {
    steps: (kind) => [{ out: voices[kind].began + voices[kind].said('A').slice(0, 20) }, { kill: 'SIGKILL' }],
    ...{ state: 'failed', reason: 'exit_code', message: /SIGKILL/, attempts: 2 },
  },
  'one tool for ever': {
    steps: (kind) => [
      { out: voices[kind].began },
      { many: { text: voices[kind].ran('true'), times: 6 } },
      { sleep: 20_000 },
    ],
    ...{ state: 'failed', reason: 'stuck', message: /5 times in a row/ },
  },
  'a failure that exits with 0': {
    steps: (kind) => [{ out: voices[kind].began + voices[kind].failed('It did not work out.') }, { exit: 0 }],
    // Nobody knows why: as when its service fails.
    ...{ state: 'failed', reason: 'api_error', attempts: 2 },
  },
  'a server that stays': {
    steps: (kind) => [{ fork: true }, ...answers(kind)],
    state: 'succeeded',
  },
  'a link in place of its outputs': {
    steps: (kind) => [...answers(kind), shell('rm -r "$SLUICE_OUTPUT_DIR"; ln -s /etc "$SLUICE_OUTPUT_DIR"')],
    state: 'succeeded',
  },
  'a file in place of its outputs': {
    steps: (kind) => [...answers(kind), shell('rm -r "$SLUICE_OUTPUT_DIR"; echo > "$SLUICE_OUTPUT_DIR"')],
    state: 'succeeded',
  },
  // Its stream is lost with it, and what it cost.
  'its work folder is gone': {
    steps: (kind) => [...answers(kind), shell('rm -r "$(dirname "$SLUICE_OUTPUT_DIR")"')],
    ...{ state: 'failed', reason: 'interrupted', message: /Cannot take up the output/ },
  },
  'numbers that nobody has': {
    steps: (kind) => [
      {
        out: wild(voices[kind].began + voices[kind].said('All is well.') + voices[kind].done('All is well.')),
      },
    ],
    state: 'succeeded',
  },
  'binary on stderr': {
    steps: () => [{ err: 'bad \u001b[2J \u0000 \u0007 thing' }, { exit: 9 }],
    ...{ state: 'failed', reason: 'exit_code' },
  },
};

function shell(line: string): Step {
  return { run: ['sh', '-c', line] };
}

/** Each count of tokens, and what it cost. */
function wild(stream: string): string {
  return stream.replace(/("(?:\w*tokens|total_cost_usd|costUSD)":)[\d.]+/g, '$11e308');
}

test('each way of failing has its reason; what is left running is gone; messages are text', async () => {
  const project = makeCliProject(`
routing_rules: [${kinds.map((kind) => `{ name: ${kind}, pattern: "*.${kind}", agent: ${kind}, prompt: Look. }`).join(', ')}]
agents:
${kinds.map((kind) => `  ${kind}: ${fakeAgent(kind, `max_load: 3, circuit_breaker: off, ${quick}`)}`).join('\n')}
concurrency_limits: { max_processes: 6 }
daemon: { min_free_disk: 1MiB }
`);
  for (const kind of kinds) {
    const plays: Play[] = Object.entries(cases).map(([name, { steps }]) => ({
      when: { prompt: `${name}.${kind}` },
      steps: steps(kind),
    }));
    project.fake(kind).play(...plays);
    for (const name of Object.keys(cases)) project.write(`inbox/${name}.${kind}`, name);
  }
  const { code } = await project.sluice('run');
  expect(code).toBe(1);
  const receipts = project.receipts();
  expect(receipts).toHaveLength(Object.keys(cases).length * kinds.length);
  const found = Object.fromEntries(
    receipts.map(({ input, state, reason, attempts }) => [
      input.path,
      `${state} ${reason ?? ''} after ${attempts.length}`,
    ]),
  );
  expect(found).toEqual(
    Object.fromEntries(
      kinds.flatMap((kind) =>
        Object.entries(cases).map(([name, { state, reason, attempts = 1 }]) => [
          `${name}.${kind}`,
          `${state} ${reason ?? ''} after ${attempts}`,
        ]),
      ),
    ),
  );
  for (const { input, state, message = '', fix, proof, outputs, usage, cost_usd } of receipts) {
    const name = input.path.replace(/\.\w+$/, '');
    expect(outputs, input.path).toEqual([]);
    if (name === 'numbers that nobody has') expect([usage, cost_usd], input.path).toEqual([undefined, null]);
    if (state === 'succeeded') expect(proof, input.path).toEqual(['exit_code', 'event']);
    else
      expect(
        [message, fix ?? ''].every((text) => text.length > 10),
        `${input.path}: ${message}`,
      ).toBe(true);
    if (cases[name]?.message) expect(message, input.path).toMatch(cases[name].message);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may come through
    expect(message).not.toMatch(/[\u0000-\u0008\u000b-\u001f]/);
  }
  expect(processesOf(project)).toEqual([]);
  for (const { looks } of kinds.flatMap((kind) => project.fake(kind).seen()))
    if (looks?.fork) expect(() => process.kill(looks.fork as number, 0)).toThrow('ESRCH');
  expect(readFileSync(join(project.dir, 'processed/files/inbox/well.codex/result.md'), 'utf8')).toBe(
    'All is well.\n',
  );
});

test('a CLI that is missing or too old: its jobs wait with the remedy', async () => {
  const project = makeCliProject(`
routing_rules: [{ name: old, pattern: "*.old", agent: old }, { name: gone, pattern: "*.gone", agent: gone }, { name: odd, pattern: "*.odd", agent: odd }]
agents:
  old: ${fakeAgent('codex')}
  gone: { kind: gemini, program: ./fakes/nothing }
  odd: ${fakeAgent('gemini')}
daemon: { min_free_disk: 1MiB }
`);
  project.fake('codex').script({ version: '0.20.1', plays: [] });
  project.fake('gemini').script({ version: 'soon', plays: [] });
  for (const name of ['a.old', 'a.gone', 'a.odd']) project.write(`inbox/${name}`, 'x');
  const { code, stdout } = await project.sluice('run', '--json');
  expect(code).toBe(1);
  const { problems } = JSON.parse(stdout) as { problems: readonly Record<string, string>[] };
  const of = (path: string) => problems.find((one) => one.path === path);
  expect(of('a.old')).toMatchObject({
    ...{ state: 'waiting', reason: 'agent_unavailable' },
    message: expect.stringContaining('Codex CLI 0.20.1 is too old'),
    fix: expect.stringContaining('npm install -g @openai/codex'),
  });
  expect(of('a.gone')).toMatchObject({ state: 'waiting', reason: 'agent_unavailable' });
  expect(of('a.odd')).toMatchObject({
    ...{ state: 'waiting', reason: 'agent_unavailable' },
    message: expect.stringContaining('names no version'),
  });
  expect(project.fake('codex').seen()).toEqual([]);
});

test('a flag that the version does not know: started again without it, the difference on the receipt, learned', async () => {
  const refused = {
    codex: '--ignore-rules',
    gemini: '--session-id',
    claude: '--include-partial-messages',
  } as const;
  const project = makeCliProject(`
routing_rules: [${kinds.map((kind) => `{ name: ${kind}, pattern: "*.${kind}", agent: ${kind} }`).join(', ')}, { name: old, pattern: "*.old", agent: old }]
agents:
${kinds.map((kind) => `  ${kind}: ${fakeAgent(kind)}`).join('\n')}
  old: { kind: codex, program: ./fakes/codex-old, sandbox: { mode: off, reason: a test } }
daemon: { min_free_disk: 1MiB }
`);
  for (const kind of kinds) {
    project.fake(kind).script({ refuses: [refused[kind]], plays: [{ steps: answers(kind) }] });
    project.write(`inbox/a.${kind}`, kind);
  }
  // Its help names the flag no more: it is not given in the first place.
  const help = ['-c, --config', '-s, --sandbox', '--json', '--output-last-message', '--skip-git-repo-check'];
  const old = { help, refuses: ['--ignore-rules'], plays: [{ steps: answers('codex') }] };
  copyFileSync(project.fake('codex').file, join(project.dir, 'fakes/codex-old'));
  project.write('fakes/codex-old.json', JSON.stringify(old));
  project.write('inbox/a.old', 'old');
  expect((await project.sluice('run')).code).toBe(0);
  for (const kind of kinds) {
    const receipt = project.receipt(`a.${kind}`);
    expect(receipt, kind).toMatchObject({ state: 'succeeded', proof: ['exit_code', 'event'] });
    expect(
      receipt?.attempts.map(({ cli }) => cli),
      kind,
    ).toMatchObject([
      { flags: expect.arrayContaining([refused[kind]]), fault: 'flags' },
      { correction: { added: [], removed: [expect.stringMatching(new RegExp(`^${refused[kind]}`))] } },
    ]);
  }
  expect(project.receipt('a.old')?.attempts).toHaveLength(1);
  project.write('inbox/b.gemini', 'b');
  expect((await project.sluice('run')).code).toBe(0);
  expect(project.receipt('b.gemini')?.attempts, 'learned').toHaveLength(1);
  // A newer one gets the flag again.
  project.fake('gemini').script({ version: '0.62.0', plays: [{ steps: answers('gemini') }] });
  project.write('fakes/gemini', `${readFileSync(project.fake('gemini').file, 'utf8')}\n`);
  project.write('inbox/c.gemini', 'c');
  expect((await project.sluice('run')).code).toBe(0);
  expect(project.fake('gemini').seen().at(-1)?.argv).toContain('--session-id');
});

test('a start that cannot work has failed once, and says what to do', async () => {
  const starts = {
    codex: { 'bad-dir': /No such file or directory/, 'full-auto': /--full-auto/ },
    gemini: { 'untrusted-yolo': /does not trust the folder/, 'include-missing': /does not exist/ },
    claude: { 'root-refused': /root/, 'no-verbose': /--verbose/, 'session-id-in-use': /already in use/ },
  } as const;
  const project = makeCliProject(`
routing_rules: [${kinds.map((kind) => `{ name: ${kind}, pattern: "*.${kind}", agent: ${kind} }`).join(', ')}]
agents:
${kinds.map((kind) => `  ${kind}: ${fakeAgent(kind)}`).join('\n')}
daemon: { min_free_disk: 1MiB }
`);
  for (const kind of kinds) {
    const names = Object.keys(starts[kind]);
    project
      .fake(kind)
      .play(...names.map((name) => ({ when: { prompt: `${name}.${kind}` }, steps: recorded(kind, name) })));
    for (const name of names) project.write(`inbox/${name}.${kind}`, name);
  }
  expect((await project.sluice('run')).code).toBe(1);
  for (const kind of kinds)
    for (const [name, message] of Object.entries(starts[kind])) {
      const receipt = project.receipt(`${name}.${kind}`);
      const what = `${kind} ${name}: ${receipt?.message} ${receipt?.fix}`;
      expect([receipt?.state, receipt?.reason, receipt?.attempts.length], what).toEqual([
        'failed',
        'spawn_failed',
        1,
      ]);
      expect(receipt?.message, what).toMatch(message);
      expect(receipt?.fix?.length, what).toBeGreaterThan(10);
    }
});

test('who is not logged in fails at once, and a condition says how to log in', async () => {
  const config = (more = '') => `
routing_rules: [${kinds.map((kind) => `{ name: ${kind}, pattern: "*.${kind}", agent: ${kind} }`).join(', ')}]
agents:
${kinds.map((kind) => `  ${kind}: ${fakeAgent(kind, kind === 'codex' ? more : '')}`).join('\n')}
daemon: { min_free_disk: 1MiB }
`;
  const project = makeCliProject(config());
  project.fake('codex').play(recorded('codex', 'e401'));
  project.fake('gemini').play(recorded('gemini', 'no-key'));
  project.fake('claude').play(recorded('claude', 'no-key'));
  const daemon = await project.start();
  for (const kind of kinds) project.write(`inbox/a.${kind}`, kind);
  await until('all three have failed', async () => (await project.status()).files.failed === 3);
  for (const kind of kinds) {
    const receipt = project.receipt(`a.${kind}`);
    expect(receipt, kind).toMatchObject({
      state: 'failed',
      reason: 'auth',
      fix: expect.stringMatching(/log|KEY/i),
    });
    expect(
      receipt?.attempts.map(({ cli }) => cli?.fault),
      kind,
    ).toEqual(['auth']);
  }
  const { conditions } = await project.status();
  const told = conditions.filter(({ code }) => code === 'AGENT_AUTH').map(({ subject }) => subject);
  expect(told.toSorted()).toEqual(['claude', 'codex', 'gemini']);
  // Who is called in another way by now may be logged in.
  project.write('config/orchestrator.yaml', `version: 1\n${config('env: { CODEX_API_KEY: another-key }')}`);
  daemon.kill('SIGHUP');
  await until('nothing is said of it any more', async () =>
    (await project.status()).conditions.every(
      ({ code, subject }) => code !== 'AGENT_AUTH' || subject !== 'codex',
    ),
  );
  for (const kind of kinds) project.fake(kind).play(answers(kind));
  await project.client.post('/api/jobs/retry', { failed: true });
  await until('all are processed', async () => (await project.status()).files.processed === 3);
  await until('the conditions are over', async () =>
    (await project.status()).conditions.every(({ code }) => code !== 'AGENT_AUTH'),
  );
  daemon.kill('SIGTERM');
  await daemon.exited;
});

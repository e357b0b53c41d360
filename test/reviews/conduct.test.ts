/** A round from the work to the decision, with real rows and files: restarts, bad reviewers, nobody to ask. */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import MarkdownIt from 'markdown-it';
import { describe, expect, test } from 'vitest';
import type { ReviewRequest } from '../../src/reviews/reviews.ts';
import type { ReviewRecord } from '../../src/types/review.ts';
import { agent, reviewsConfig } from './agents.ts';
import {
  answer,
  author,
  never,
  openRig,
  type Reply,
  type Rig,
  request,
  tempFolder,
  twoOthers,
} from './rig.ts';

const secondTry = { kind: 'job', jobId: 'j1', attempt: 2 } as const;
const wrong = { severity: 'blocking', text: 'It is 5.', place: 'report:1', evidence: '2 + 3' };

/** Conducts a round whose reviewers answer as given. */
async function round(
  rig: Rig,
  asked: ReviewRequest,
  replies: Readonly<Record<string, Reply>>,
): Promise<ReviewRecord> {
  const before = rig.jobs.submitted.length;
  const ended = rig.reviews.conduct(asked, never);
  await Promise.race([ended, rig.jobs.followed(before + Object.keys(replies).length)]);
  for (const [name, reply] of Object.entries(replies)) rig.jobs.reply(name, reply);
  return ended;
}

test('all are asked at once, each alone and by schema; both approve, it continues, and files say so', async () => {
  await using rig = openRig();
  const dir = tempFolder();
  const ended = rig.reviews.conduct(request(join(dir, 'reviews')), never);
  await rig.jobs.followed(2);
  const [open] = await rig.ledger.reviews.list({ open: true, limit: 9 });
  expect(open?.verdicts.map(({ agent: name, verdict }) => [name, verdict])).toEqual([
    ['codex-1', 'missing'],
    ['gemini-1', 'missing'],
  ]);
  expect(rig.jobs.submitted.map(({ task }) => task)).toMatchObject([
    {
      runId: 'j1',
      workflow: 'reviews',
      step: 'round-1-codex-1',
      work: { kind: 'agent', agents: ['codex-1'] },
      expect: { outputs: [], jsonSchema: { schema: { title: 'review-verdict' } } },
      isShared: false,
    },
    { step: 'round-1-gemini-1', work: { agents: ['gemini-1'] } },
  ]);
  rig.jobs.reply('gemini-1', answer('approved'));
  rig.jobs.reply('codex-1', { result: answer('approved'), costUsd: null });
  const record = await ended;
  expect(record).toMatchObject({
    decision: 'continue',
    why: 'all approved (2)',
    verdicts: [
      { agent: 'codex-1', verdict: 'approved', costUsd: null, weight: 1 },
      { agent: 'gemini-1', verdict: 'approved', costUsd: 0.25 },
    ],
  });
  expect(record).not.toHaveProperty('isRevised');
  expect(await rig.ledger.reviews.get(record.id)).toEqual(record);
  expect(readdirSync(join(dir, 'reviews')).sort()).toEqual(['round-1.json', 'round-1.md']);
  expect(JSON.parse(readFileSync(join(dir, 'reviews/round-1.json'), 'utf8'))).toMatchObject({
    schema: 1,
    id: record.id,
    subject: { kind: 'job', job_id: 'j1' },
    started_at: '1970-01-01T00:00:02.000Z',
    duration_ms: 1_000,
    verdicts: [{ agent: 'codex-1', job_id: rig.jobs.submitted[0]?.id, cost_usd: null }, {}],
    decision: 'continue',
    is_revised: false,
  });
});

test('a blocker goes back to the author; its answer is looked at again, with what was found', async () => {
  await using rig = openRig();
  const dir = tempFolder();
  const first = await round(rig, request(dir, { canRevise: true }), {
    'codex-1': answer('blocker', wrong),
    'gemini-1': answer('approved'),
  });
  expect(first).toMatchObject({
    decision: 'stop',
    isRevised: true,
    why: 'codex-1 has a blocker; its author answers 1 blocking finding',
  });
  const changed = { ...request(dir).work, report: 'It is 5.' };
  const second = await round(rig, request(dir, { canRevise: true, round: 2, work: changed }), {
    'codex-1': answer('approved'),
    'gemini-1': answer('concern'),
  });
  expect(second).toMatchObject({ decision: 'warn', why: 'gemini-1 has a concern' });
  const { task } = rig.jobs.submitted[2] ?? {};
  expect(task?.step).toBe('round-2-codex-1');
  expect(task?.work.kind === 'agent' && task.work.prompt).toMatch(
    /findings of the last round\n1\. report:1: It is 5\./,
  );
  expect(readdirSync(dir).sort()).toEqual(['round-1.json', 'round-1.md', 'round-2.json', 'round-2.md']);
});

test('unchanged work is not shown again: what was said of it stands, and nothing more is paid', async () => {
  await using rig = openRig();
  const dir = tempFolder();
  await round(rig, request(dir, { canRevise: true }), {
    'codex-1': answer('blocker', wrong),
    'gemini-1': answer('approved'),
  });
  const second = await round(
    rig,
    request(dir, { canRevise: true, round: 2, config: reviewsConfig({ maxRounds: 9 }) }),
    {},
  );
  expect(second).toMatchObject({
    decision: 'stop',
    why: 'codex-1 has a blocker; the work is unchanged since the last round',
    verdicts: [{ verdict: 'blocker', costUsd: 0 }, { verdict: 'approved' }],
  });
  expect(second.isRevised).toBeUndefined();
  expect(rig.jobs.submitted).toHaveLength(2);
});

test('unchanged work is shown again where somebody gave no valid verdict the last time', async () => {
  await using rig = openRig();
  const dir = tempFolder();
  await round(rig, request(dir, { canRevise: true }), {
    'codex-1': { state: 'failed', reason: 'timeout' },
    'gemini-1': answer('approved'),
  });
  const second = await round(rig, request(dir, { canRevise: true, round: 2 }), {
    'codex-1': answer('approved'),
    'gemini-1': answer('approved'),
  });
  expect(second).toMatchObject({ decision: 'continue' });
});

test('a reviewer that always finds something: after the last round the decision stands', async () => {
  await using rig = openRig();
  const dir = tempFolder();
  const rounds: ReviewRecord[] = [];
  for (let n = 1; rounds.at(-1)?.isRevised !== undefined || n === 1; n += 1) {
    const work = { ...request(dir).work, report: `Try ${n}` };
    const config = reviewsConfig({ maxRounds: 3 });
    rounds.push(
      await round(rig, request(dir, { canRevise: true, round: n, work, config }), {
        'codex-1': answer('blocker', wrong),
        'gemini-1': answer('approved'),
      }),
    );
  }
  expect(rounds.map(({ isRevised = false }) => isRevised)).toEqual([true, true, false]);
  expect(rounds.at(-1)).toMatchObject({
    decision: 'stop',
    why: expect.stringContaining('all 3 rounds are over'),
  });
});

describe('bad reviewers approve nothing', () => {
  test.each<readonly [string, Reply, string | RegExp]>([
    [
      'fails',
      { state: 'failed', reason: 'timeout', message: 'after 20 min' },
      'its job is failed: timeout, after 20 min',
    ],
    ['is cancelled', { state: 'cancelled' }, 'its job is cancelled'],
    ['is held', { state: 'held', reason: 'permission_denied' }, 'its job is held: permission_denied'],
    ['talks', 'Looks good to me, approved!', 'its answer holds no JSON object with a verdict'],
    ['says nothing', '', 'its answer is empty'],
    ['leaves nothing', { state: 'succeeded' }, 'its answer is empty'],
    ['answers in bytes', { result: Buffer.from([0xff, 0]) }, 'its answer is no text'],
    [
      'approves at the beginning of a long answer',
      `${answer('approved')}${' '.repeat(1 << 20)}${answer('blocker')}`,
      /^its answer has \d+ bytes$/,
    ],
    [
      'fails with a wrong shape',
      { state: 'failed', reason: 'schema_invalid', result: '{"ok": 1}' },
      'its answer holds no JSON object with a verdict',
    ],
  ])('one that %s is missing: at best a warning', async (_name, reply, summary) => {
    await using rig = openRig();
    const record = await round(rig, request(tempFolder()), {
      'codex-1': reply,
      'gemini-1': answer('approved'),
    });
    expect(record).toMatchObject({
      decision: 'warn',
      why: 'approved by 1; no valid verdict from codex-1',
      verdicts: [
        { agent: 'codex-1', verdict: 'missing', summary: expect.stringMatching(summary), findings: [] },
        {},
      ],
    });
  });

  test('fewer than the quorum: a person is asked, and the author is not', async () => {
    await using rig = openRig();
    const config = reviewsConfig({ quorum: 2 });
    const record = await round(rig, request(tempFolder(), { canRevise: true, config }), {
      'codex-1': { state: 'failed', reason: 'quota' },
      'gemini-1': answer('concern', wrong),
    });
    expect(record).toMatchObject({
      decision: 'pause',
      why: '1 valid verdict, 2 needed; no valid verdict from codex-1; a person decides',
    });
    expect(record.isRevised).toBeUndefined();
  });

  test('an answer that misses the schema by a letter still counts', async () => {
    await using rig = openRig();
    const record = await round(rig, request(tempFolder()), {
      'codex-1': {
        state: 'failed',
        reason: 'schema_invalid',
        result: `\`\`\`json\n${answer('concerns')}\n\`\`\``,
      },
      'gemini-1': answer('approved'),
    });
    expect(record).toMatchObject({ decision: 'warn', verdicts: [{ verdict: 'concern' }, {}] });
  });

  test('weights are those of the configuration', async () => {
    await using rig = openRig();
    const config = reviewsConfig({ weights: { 'codex-1': 2 } });
    const record = await round(rig, request(tempFolder(), { config }), {
      'codex-1': answer('concern'),
      'gemini-1': answer('approved'),
    });
    expect(record).toMatchObject({ decision: 'pause', verdicts: [{ weight: 2 }, { weight: 1 }] });
  });
});

describe('who is asked', () => {
  test('fewer where fewer are there, and it is said', async () => {
    await using rig = openRig({ away: ['gemini-1', 'author'] });
    const record = await round(rig, request(tempFolder()), { 'codex-1': answer('approved') });
    expect(record).toMatchObject({
      decision: 'continue',
      why: 'all approved (1); 1 of 2 reviewers could be asked (gemini-1 cannot work now, `sluice agents list` says why)',
    });
  });

  test('nobody is there: built-in checks stand in, and say that no agent looked at it', async () => {
    await using rig = openRig({ agents: [author] });
    const dir = tempFolder();
    const fine = await round(rig, request(dir), {});
    expect(fine).toMatchObject({
      decision: 'warn',
      why: 'no agent could review it; built-in checks found nothing',
      verdicts: [{ agent: 'inspect', verdict: 'approved' }],
    });
    expect(readFileSync(join(dir, 'round-1.md'), 'utf8')).toContain('no agent looked at it');
    const outputs = [{ path: 'a.json', bytes: 1, text: '{' }];
    const broken = await round(
      rig,
      request(dir, { subject: secondTry, canRevise: true, work: { ...request(dir).work, outputs } }),
      {},
    );
    expect(broken).toMatchObject({ decision: 'stop', isRevised: true });
    expect(rig.jobs.submitted).toEqual([]);
    // An agent that cannot go on, and nobody who might know better: a person is asked.
    const stuck = await round(rig, request(tempFolder(), { trigger: 'blocker' }), {});
    expect(stuck.decision).toBe('pause');
  });

  test('a quorum that is not written is more than half of those who are asked, one that is written stays', async () => {
    const { quorum: _, ...config } = reviewsConfig();
    await using rig = openRig({ away: ['gemini-1'] });
    const one = await round(rig, request(tempFolder(), { config }), { 'codex-1': answer('approved') });
    expect(one.decision).toBe('continue');
    const two = { ...config, quorum: 2 };
    const strict = await round(rig, request(tempFolder(), { subject: secondTry, config: two }), {
      'codex-1': answer('approved'),
    });
    expect(strict).toMatchObject({
      decision: 'pause',
      why: expect.stringContaining('1 valid verdict, 2 needed'),
    });
    await using alone = openRig({ agents: [author] });
    expect((await round(alone, request(tempFolder(), { config }), {})).decision).toBe('warn');
  });

  test('agents that are no CLIs answer without a schema to check', async () => {
    await using rig = openRig({ agents: [author, agent('script', { kind: 'command' })] });
    const record = await round(rig, request(tempFolder()), { script: `Hm.\n${answer('concern')}` });
    expect(rig.jobs.submitted[0]?.task.expect).toEqual({ outputs: [] });
    expect(record).toMatchObject({ decision: 'warn' });
  });

  test('nobody reviews what is partly its own: an author of an earlier round neither', async () => {
    await using rig = openRig();
    const dir = tempFolder();
    await round(rig, request(dir, { canRevise: true }), {
      'codex-1': answer('blocker', wrong),
      'gemini-1': answer('approved'),
    });
    // Its author cannot work now: another one has mended it.
    const facts = { author: 'codex-1', subject: secondTry, round: 2, canRevise: true };
    const second = await round(rig, request(dir, facts), { 'gemini-1': answer('approved') });
    expect(second.verdicts.map(({ agent }) => agent)).toEqual(['gemini-1']);
    // A run that was resumed begins anew.
    const anew = round(rig, request(dir, { ...facts, since: 1e9 }), {});
    await rig.jobs.followed(5);
    expect(rig.jobs.submitted.slice(3).map(({ agent }) => agent)).toEqual(['author', 'gemini-1']);
    for (const name of ['author', 'gemini-1']) rig.jobs.reply(name, answer('approved'));
    await anew;
  });

  test('several reviews of the same work, by name, and live ones beside them', async () => {
    await using rig = openRig({ agents: [author, agent('codex-1', { kind: 'codex' })] });
    const dir = tempFolder();
    const lookFor = 'Holes in security.';
    for (const facts of [{ name: 'security', lookFor }, { name: 'style' }, { trigger: 'milestone' }] as const)
      await round(rig, request(dir, facts), { 'codex-1': answer('approved') });
    expect(rig.jobs.submitted.map(({ task }) => task.step)).toEqual([
      'security-round-1-codex-1',
      'style-round-1-codex-1',
      'milestone-1-codex-1',
    ]);
    const [first] = rig.jobs.submitted;
    expect(first?.task.work.kind === 'agent' && first.task.work.prompt).toContain(lookFor);
    expect(readdirSync(dir).filter((name) => name.endsWith('.md'))).toEqual([
      'milestone-1.md',
      'security-round-1.md',
      'style-round-1.md',
    ]);
    // What it was about stands nowhere else.
    const page = readFileSync(join(dir, 'milestone-1.md'), 'utf8');
    expect(page).toContain('# Review, milestone 1: continue\n');
    const { report } = request(dir).work;
    expect(page).toContain(`## What it had told\n\n> ${report}`);
    expect(JSON.parse(readFileSync(join(dir, 'milestone-1.json'), 'utf8')).work.told).toBe(report);
  });
});

describe('over a restart', () => {
  test('an abort leaves it open; asked again it goes on with the jobs that are there, and with the same reviewers', async () => {
    const stateDir = tempFolder();
    const dir = tempFolder();
    const stop = new AbortController();
    let before: Rig['jobs'];
    {
      await using rig = openRig({ stateDir });
      before = rig.jobs;
      const conducted = rig.reviews.conduct(request(dir), stop.signal);
      await rig.jobs.followed(2);
      rig.jobs.reply('codex-1', answer('approved'));
      stop.abort(new Error('stopping'));
      await expect(conducted).rejects.toThrow('stopping');
      expect(await rig.ledger.reviews.list({ open: true, limit: 9 })).toHaveLength(1);
      expect(readdirSync(dir)).toEqual([]);
    }
    // Somebody better came meanwhile, and one of them is away: they were asked already.
    const others = [...twoOthers, agent('light', { kind: 'copilot', load: 'light' })];
    await using rig = openRig({ stateDir, jobs: before, agents: others, away: ['codex-1'] });
    const conducted = rig.reviews.conduct(request(dir), never);
    await before.followed(4);
    before.reply('gemini-1', answer('approved'));
    expect(await conducted).toMatchObject({
      decision: 'continue',
      verdicts: [{ agent: 'codex-1' }, { agent: 'gemini-1' }],
    });
    expect(before.submitted).toHaveLength(2);
  });

  test('one that has ended is what it was; files that are gone are written again', async () => {
    const stateDir = tempFolder();
    const dir = tempFolder();
    let first: ReviewRecord;
    {
      await using rig = openRig({ stateDir });
      first = await round(rig, request(dir), {
        'codex-1': answer('approved'),
        'gemini-1': answer('concern'),
      });
    }
    const page = readFileSync(join(dir, 'round-1.md'), 'utf8');
    rmSync(dir, { recursive: true });
    await using rig = openRig({ stateDir });
    expect(await round(rig, request(dir), {})).toEqual(first);
    expect(readFileSync(join(dir, 'round-1.md'), 'utf8')).toBe(page);
    expect(rig.jobs.submitted).toEqual([]);
  });

  test('the tree has changed meanwhile: it is the same work, and nobody is asked twice', async () => {
    const stateDir = tempFolder();
    const dir = tempFolder();
    const stop = new AbortController();
    const changed = { ...request('').work, diff: '+somebody else was here' };
    let before: Rig['jobs'];
    {
      await using rig = openRig({ stateDir });
      before = rig.jobs;
      const conducted = rig.reviews.conduct(request(dir), stop.signal);
      await rig.jobs.followed(2);
      stop.abort(new Error('stopping'));
      await expect(conducted).rejects.toThrow('stopping');
    }
    await using rig = openRig({ stateDir, jobs: before });
    const conducted = rig.reviews.conduct(request(dir, { work: changed }), never);
    await before.followed(4);
    for (const name of ['codex-1', 'gemini-1']) before.reply(name, answer('approved'));
    const record = await conducted;
    expect(await rig.reviews.conduct(request(dir), never)).toEqual(record);
    expect(before.submitted).toHaveLength(2);
    expect(await rig.ledger.reviews.list({ limit: 9 })).toEqual([record]);
    // Another attempt is other work, also where it looks the same.
    const other = rig.reviews.conduct(request(dir, { subject: secondTry }), never);
    await before.followed(6);
    for (const name of ['codex-1', 'gemini-1']) before.reply(name, answer('concern'));
    expect(await other).toMatchObject({ decision: 'pause' });
  });

  test('unchanged is what was first shown, whoever has changed the tree since', async () => {
    const stateDir = tempFolder();
    const asked = request(tempFolder(), { canRevise: true, config: reviewsConfig({ maxRounds: 9 }) });
    const again = { ...asked, round: 2, subject: secondTry };
    {
      await using rig = openRig({ stateDir });
      await round(rig, asked, { 'codex-1': answer('blocker', wrong), 'gemini-1': answer('approved') });
      // Killed before its end is on disk; what people read is there.
      const put = rig.ledger.reviews.put.bind(rig.ledger.reviews);
      rig.ledger.reviews.put = (one) =>
        one.endedAt === undefined ? put(one) : Promise.reject(new Error('killed'));
      await expect(rig.reviews.conduct(again, never)).rejects.toThrow('killed');
      expect(readdirSync(asked.artifactsDir)).toContain('round-2.md');
    }
    await using rig = openRig({ stateDir });
    const changed = { ...again, work: { ...again.work, diff: '+somebody else was here' } };
    expect(await rig.reviews.conduct(changed, never)).toMatchObject({
      decision: 'stop',
      why: expect.stringContaining('the work is unchanged'),
    });
  });

  test('the round before is the one of the same trigger', async () => {
    await using rig = openRig({ agents: [author, agent('codex-1', { kind: 'codex' })] });
    const dir = tempFolder();
    await round(rig, request(dir, { canRevise: true }), { 'codex-1': answer('blocker', wrong) });
    await round(rig, request(dir, { subject: secondTry, trigger: 'milestone' }), {
      'codex-1': answer('concern', { severity: 'blocking', text: 'Half of it.' }),
    });
    const work = { ...request(dir).work, report: 'It is 5.' };
    await round(rig, request(dir, { subject: secondTry, canRevise: true, round: 2, work }), {
      'codex-1': answer('approved'),
    });
    const { task } = rig.jobs.submitted.at(-1) ?? {};
    const prompt = task?.work.kind === 'agent' ? task.work.prompt : '';
    expect(prompt).toContain('1. report:1: It is 5.');
    expect(prompt).not.toContain('Half of it.');
  });

  test('an abort on the way to the reviewers asks nobody any more', async () => {
    await using rig = openRig();
    const stop = new AbortController();
    const put = rig.ledger.reviews.put.bind(rig.ledger.reviews);
    rig.ledger.reviews.put = async (one) => {
      await put(one);
      stop.abort(new Error('stopping'));
    };
    await expect(rig.reviews.conduct(request(tempFolder()), stop.signal)).rejects.toThrow('stopping');
    expect(rig.jobs.submitted).toEqual([]);
  });

  test('a fault of our own leaves it open, too, and nobody is left asking', async () => {
    await using rig = openRig();
    const submit = rig.jobs.submitStep.bind(rig.jobs);
    rig.jobs.submitStep = async (task, o) => {
      if (task.step.endsWith('codex-1')) throw new Error('disk full');
      return submit(task, o);
    };
    const conducted = rig.reviews.conduct(request(tempFolder()), never);
    await rig.jobs.followed(1);
    rig.jobs.reply('gemini-1', answer('approved'));
    await expect(conducted).rejects.toThrow('disk full');
    expect(await rig.ledger.reviews.list({ open: true, limit: 9 })).toHaveLength(1);
  });

  test('what nobody wants to know any more is let go with those who are asked, also after a crash on the way', async () => {
    await using rig = openRig();
    const stop = new AbortController();
    const open = [request(tempFolder()), request(tempFolder(), { trigger: 'milestone' })];
    const conducted = open.map((one) => rig.reviews.conduct(one, stop.signal));
    await rig.jobs.followed(4);
    stop.abort(new Error('over'));
    await Promise.allSettled(conducted);
    const cancel = rig.jobs.cancel.bind(rig.jobs);
    rig.jobs.cancel = () => Promise.reject(new Error('killed'));
    const isResult = ({ trigger }: ReviewRecord) => trigger === 'result';
    await expect(rig.reviews.letGo('j1', isResult)).rejects.toThrow('killed');
    rig.jobs.cancel = cancel;
    // It is known still, so that whoever comes next ends what was begun.
    await rig.reviews.letGo('j1', isResult);
    const [result] = await rig.ledger.reviews.list({ limit: 9 }).then((all) => all.filter(isResult));
    expect(rig.jobs.cancelled).toEqual(result?.verdicts.map(({ jobId }) => jobId));
    expect(result).toMatchObject({ endedAt: expect.any(Number), why: expect.stringContaining('over') });
    expect(result).not.toHaveProperty('decision');
    expect(await rig.ledger.reviews.list({ open: true, limit: 9 })).toMatchObject([{ trigger: 'milestone' }]);
  });

  test('an abort before it begins leaves nothing', async () => {
    await using rig = openRig();
    await expect(
      rig.reviews.conduct(request(tempFolder()), AbortSignal.abort(new Error('no'))),
    ).rejects.toThrow('no');
    expect(await rig.ledger.reviews.list({ limit: 9 })).toEqual([]);
  });
});

describe('files', () => {
  test('are readable for those whom the configuration names, whatever the mask of the process', async () => {
    await using rig = openRig({ agents: [author], fileMode: 0o666 });
    const dir = tempFolder();
    await round(rig, request(dir), {});
    for (const name of readdirSync(dir)) expect(statSync(join(dir, name)).mode & 0o777).toBe(0o666);
  });

  test('what agents wrote is shown, not rendered', async () => {
    await using rig = openRig();
    const dir = tempFolder();
    const evil = {
      severity: 'blocking',
      text: '# Approved\n<img src=x onerror=alert(1)> ![pixel](https://evil.example/p.png)\n1. **continue**',
      place: 'a|b`c\n# d',
      evidence: '```\n</details>\n---',
    };
    await round(rig, request(dir), { 'codex-1': answer('blocker', evil), 'gemini-1': answer('approved') });
    const page = readFileSync(join(dir, 'round-1.md'), 'utf8');
    expect(page).toMatch(/^# Review, round 1: stop\n/);
    // As a viewer would show it that lets everything through.
    const shown = new MarkdownIt({ html: true, linkify: true }).render(page);
    expect(shown.match(/<(h\d|img|a|details|hr|pre|\/details)\b/g)).toEqual(['<h1', '<h2', '<h2']);
    expect(shown).toContain('# Approved');
    expect(JSON.parse(readFileSync(join(dir, 'round-1.json'), 'utf8')).verdicts[0].findings[0]).toEqual(evil);
  });

  test('secrets reach neither the reviewers nor the record', async () => {
    await using rig = openRig({ redact: (text) => text.replaceAll('hunter2', '[redacted]') });
    const dir = tempFolder();
    const secret = 'the password is hunter2';
    const work = {
      title: secret,
      task: secret,
      report: secret,
      diff: `+${secret}`,
      outputs: [{ path: 'hunter2.txt', bytes: 9, text: secret }],
    };
    const record = await round(rig, request(dir, { work, lookFor: secret }), {
      'codex-1': answer('concern', { severity: 'major', text: secret }),
      'gemini-1': { state: 'failed', reason: 'exit_code', message: secret },
    });
    const files = readdirSync(dir).map((name) => readFileSync(join(dir, name), 'utf8'));
    const all = JSON.stringify([record, rig.jobs.submitted, files]);
    expect(all).not.toContain('hunter2');
    expect(all).toContain('[redacted]');
  });

  test('files that cannot be written change nothing but the log', async () => {
    await using rig = openRig();
    const dir = join(tempFolder(), 'reviews');
    writeFileSync(dir, 'in the way');
    const record = await round(rig, request(dir), {
      'codex-1': answer('approved'),
      'gemini-1': answer('approved'),
    });
    expect(record.decision).toBe('continue');
    expect(rig.warnings).toEqual(['the files of a review could not be written']);
    rmSync(dir);
    mkdirSync(dir);
    await round(rig, request(dir), {});
    expect(readdirSync(dir)).toHaveLength(2);
  });
});

/** What is due is started once, whatever clocks, processes and earlier runs do meanwhile. */
import { describe, expect, test } from 'vitest';
import { AppError } from '../../src/types/errors.ts';
import { createRig, FULL, schedule, settled } from './rig.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

describe('time passes', () => {
  test('each due time is started once, at its time', async () => {
    const rig = createRig();
    await rig.boot(schedule(), schedule({ name: 'hourly', cron: '30 * * * *' }));
    await rig.clock.passTo('2026-11-21T07:00:00Z');
    expect(rig.started()).toEqual(['2026-11-20T07:00Z', '2026-11-21T07:00Z']);
    expect(rig.started('hourly')).toHaveLength(25);
    expect(rig.runs.every(({ at, dueAt }) => at - dueAt < 1_000)).toBe(true);
  });

  test('over changes of the clock: nothing twice, nothing left out', async () => {
    const rig = createRig('2026-10-24T20:00:00Z');
    const timezone = 'Europe/Berlin';
    await rig.boot(
      schedule({ cron: '30 2 * * *', timezone }),
      schedule({ name: 'quarter', cron: '*/15 * * * *', timezone }),
    );
    await rig.clock.passTo('2026-10-26T02:00:00Z');
    expect(rig.started()).toEqual(['2026-10-25T00:30Z', '2026-10-26T01:30Z']);
    expect(rig.started('quarter')).toHaveLength(30 * 4);
    await rig.shutDown();
    rig.clock.set('2027-03-27T22:00:00Z');
    await rig.boot(schedule({ name: 'spring', cron: '30 2 * * *', timezone }));
    await rig.clock.passTo('2027-03-29T01:00:00Z');
    expect(rig.started('spring')).toEqual(['2027-03-28T01:00Z', '2027-03-29T00:30Z']);
  });

  test('it wakes at least every minute, however far off the next time is', async () => {
    const rig = createRig();
    await rig.boot(schedule({ cron: '0 0 29 2 *' }));
    expect(rig.clock.timers).toBe(1);
    rig.clock.set('2028-02-29T00:00:05Z');
    await rig.clock.pass(MINUTE_MS);
    expect(rig.started()).toEqual(['2028-02-29T00:00Z']);
  });

  test('what was due before a schedule was known is not', async () => {
    const rig = createRig('2026-11-20T07:00:00Z');
    await rig.boot(schedule());
    await rig.clock.pass(HOUR_MS);
    expect(rig.started()).toEqual([]);
  });
});

describe('what was missed', () => {
  const hourly = schedule({ cron: '0 * * * *' });

  test('while no process ran: the latest is started, once', async () => {
    const rig = createRig();
    await rig.boot(hourly);
    await rig.shutDown();
    rig.clock.set('2026-11-23T09:20:00Z');
    await rig.boot(hourly);
    expect(rig.started()).toEqual(['2026-11-23T09:00Z']);
    await rig.clock.pass(HOUR_MS);
    expect(rig.started()).toEqual(['2026-11-23T09:00Z', '2026-11-23T10:00Z']);
  });

  test('…or is not, without `catch_up`: that is noted', async () => {
    const rig = createRig();
    const late = { ...hourly, catchUp: false };
    await rig.boot(late);
    await rig.shutDown();
    rig.clock.set('2026-11-23T09:00:20Z');
    await rig.boot(late);
    expect(rig.outcomes()).toEqual(['missed']);
    await rig.clock.passTo('2026-11-23T10:00:00Z');
    expect(rig.started()).toEqual(['2026-11-23T10:00Z']);
  });

  test.each([
    [true, ['2026-11-21T06:00Z', '2026-11-21T07:00Z']],
    [false, ['2026-11-21T07:00Z']],
  ])('while the machine slept (catch_up: %s)', async (catchUp, expected) => {
    const rig = createRig();
    await rig.boot({ ...hourly, catchUp });
    rig.clock.jump(DAY_MS + 10 * MINUTE_MS);
    await rig.clock.pass(MINUTE_MS);
    expect(rig.started()).toEqual(expected.slice(0, -1));
    await rig.clock.pass(HOUR_MS);
    expect(rig.started()).toEqual(expected);
  });

  test('a timer that comes a little late has missed nothing', async () => {
    const rig = createRig('2026-11-20T06:59:59Z');
    await rig.boot({ ...hourly, catchUp: false });
    rig.clock.jump(30_000);
    await rig.clock.pass(1_000);
    expect(rig.started()).toEqual(['2026-11-20T07:00Z']);
  });

  test('seconds that a busy machine left out come together', async () => {
    const rig = createRig();
    await rig.boot(schedule({ cron: '* * * * * *' }));
    await rig.clock.pass(3_000);
    rig.clock.jump(5_000);
    await rig.clock.pass(2_000);
    expect(rig.runs.map(({ dueAt }) => new Date(dueAt).getUTCSeconds())).toEqual([1, 2, 3, 9, 10]);
  });
});

describe('a clock that was set back', () => {
  test('repeats nothing, and goes on where it was', async () => {
    const rig = createRig('2026-11-20T06:59:00Z');
    await rig.boot(schedule({ cron: '0 * * * *' }));
    await rig.clock.pass(2 * MINUTE_MS);
    rig.clock.jump(-3 * HOUR_MS);
    await rig.clock.pass(HOUR_MS);
    expect(rig.started()).toEqual(['2026-11-20T07:00Z']);
    expect(rig.conditions()).toMatchObject([{ code: 'CLOCK_SET_BACK' }]);
    await rig.clock.pass(3 * HOUR_MS);
    expect(rig.started()).toEqual(['2026-11-20T07:00Z', '2026-11-20T08:00Z']);
    expect(rig.conditions()).toEqual([]);
  });

  test('…also while no process ran', async () => {
    const rig = createRig('2026-11-20T06:59:00Z');
    await rig.boot(schedule());
    await rig.clock.pass(2 * MINUTE_MS);
    await rig.shutDown();
    rig.clock.jump(-2 * HOUR_MS);
    await rig.boot(schedule());
    await rig.clock.pass(3 * HOUR_MS);
    expect(rig.started()).toEqual(['2026-11-20T07:00Z']);
  });

  test('a few seconds are no matter', async () => {
    const rig = createRig('2026-11-20T06:59:59Z');
    await rig.boot(schedule());
    await rig.clock.pass(1_000);
    rig.clock.jump(-2_000);
    await rig.clock.pass(MINUTE_MS);
    expect(rig.started()).toEqual(['2026-11-20T07:00Z']);
    expect(rig.conditions()).toEqual([]);
  });

  test('a date that was wrong by years is forgotten when the clock is right again', async () => {
    const rig = createRig('2031-01-01T06:59:00Z');
    await rig.boot(schedule());
    await rig.clock.pass(2 * MINUTE_MS);
    rig.clock.set('2026-11-20T06:30:00Z');
    await rig.clock.pass(HOUR_MS);
    expect(rig.started()).toEqual(['2031-01-01T07:00Z', '2026-11-20T07:00Z']);
    expect(rig.conditions()).toEqual([]);
  });

  test('a machine that starts in the past and is told the time repeats nothing', async () => {
    const rig = createRig('2026-11-20T06:59:00Z');
    await rig.boot(schedule());
    await rig.clock.pass(2 * MINUTE_MS);
    await rig.shutDown();
    rig.clock.set('2000-01-01T00:00:00Z');
    await rig.boot(schedule());
    await rig.clock.pass(5 * MINUTE_MS);
    rig.clock.set('2026-11-20T07:10:00Z');
    await rig.clock.pass(HOUR_MS);
    expect(rig.started()).toEqual(['2026-11-20T07:00Z']);
    expect(rig.conditions()).toEqual([]);
  });
});

describe('when the run before it still goes on', () => {
  const every = (overlap: 'skip' | 'queue' | 'cancel') => schedule({ cron: '*/10 * * * *', overlap });

  test('skip: it is left out', async () => {
    const rig = createRig();
    rig.areLong = true;
    await rig.boot(every('skip'));
    await rig.clock.pass(35 * MINUTE_MS);
    expect(rig.started()).toEqual(['2026-11-20T06:10Z']);
    expect(rig.outcomes()).toEqual(['started', 'skipped', 'skipped']);
    await rig.end(rig.runs[0]);
    expect(rig.runs).toHaveLength(1);
    await rig.clock.pass(10 * MINUTE_MS);
    expect(rig.started()).toEqual(['2026-11-20T06:10Z', '2026-11-20T06:40Z']);
  });

  test('queue: one waits, at most one, and starts when it ends', async () => {
    const rig = createRig();
    rig.areLong = true;
    await rig.boot(every('queue'));
    await rig.clock.pass(45 * MINUTE_MS);
    expect(rig.outcomes()).toEqual(['started', 'queued', 'skipped', 'skipped']);
    await rig.end(rig.runs[0]);
    expect(rig.started()).toEqual(['2026-11-20T06:10Z', '2026-11-20T06:20Z']);
    await rig.end(rig.runs[1]);
    await rig.clock.pass(MINUTE_MS);
    expect(rig.runs).toHaveLength(2);
    await rig.clock.pass(10 * MINUTE_MS);
    expect(rig.started()).toHaveLength(3);
  });

  test('queue: what waits is not lost by a restart', async () => {
    const rig = createRig();
    rig.areLong = true;
    await rig.boot(every('queue'));
    await rig.clock.pass(21 * MINUTE_MS);
    rig.kill();
    await rig.boot(every('queue'));
    expect(rig.runs).toHaveLength(1);
    await rig.end(rig.runs[0]);
    expect(rig.started()).toEqual(['2026-11-20T06:10Z', '2026-11-20T06:20Z']);
  });

  test('cancel: it is cancelled first', async () => {
    const rig = createRig();
    rig.areLong = true;
    await rig.boot(every('cancel'));
    await rig.clock.pass(25 * MINUTE_MS);
    expect(rig.runs.map(({ isCancelled }) => isCancelled)).toEqual([true, false]);
    expect(rig.outcomes()).toEqual(['started', 'started']);
  });
});

describe('a process that dies', () => {
  test.each(['skip', 'queue', 'cancel'] as const)(
    'between a start and its note: the run is found, not started again (overlap: %s)',
    async (overlap) => {
      const rig = createRig('2026-11-20T06:59:00Z');
      rig.areLong = true;
      rig.dieAfterStart = true;
      await rig.boot(schedule({ overlap }));
      await rig.clock.pass(5 * MINUTE_MS);
      expect(rig.started()).toEqual(['2026-11-20T07:00Z']);
      expect(rig.outcomes()).toEqual([]);
      await rig.boot(schedule({ overlap }));
      await rig.clock.pass(HOUR_MS);
      expect(rig.started()).toEqual(['2026-11-20T07:00Z']);
      expect(rig.runs[0]?.isCancelled).toBe(false);
      expect(rig.events.map(({ due }) => due)).toMatchObject([{ outcome: 'started', runId: 'run-1' }]);
    },
  );

  test('…also the one that waited', async () => {
    const rig = createRig('2026-11-20T06:59:00Z');
    const often = schedule({ cron: '*/10 * * * *', overlap: 'queue' });
    rig.areLong = true;
    await rig.boot(often);
    await rig.clock.pass(12 * MINUTE_MS);
    rig.dieAfterStart = true;
    await rig.end(rig.runs[0]);
    await rig.boot(often);
    await rig.end(rig.runs[1]);
    expect(rig.started()).toEqual(['2026-11-20T07:00Z', '2026-11-20T07:10Z']);
  });
});

describe('a start that fails', () => {
  test('is a condition, does not hold up others, and is over when it works', async () => {
    const rig = createRig('2026-11-20T06:59:00Z');
    rig.failing.set('digest', new AppError('USAGE', 'no input "dya"', { fix: 'did you mean "day"?' }));
    await rig.boot(schedule(), schedule({ name: 'other' }));
    await rig.clock.pass(5 * MINUTE_MS);
    expect(rig.started('other')).toEqual(['2026-11-20T07:00Z']);
    expect(rig.conditions()).toEqual([
      {
        code: 'SCHEDULE_FAILED',
        subject: 'digest',
        message: 'The schedule "digest" cannot start "daily-digest": no input "dya"',
        fix: 'did you mean "day"?',
      },
    ]);
    rig.failing.clear();
    await rig.clock.pass(10_000);
    expect(rig.started()).toEqual(['2026-11-20T07:00Z']);
    expect(rig.conditions()).toEqual([]);
  });

  test('for days: at most the latest is started', async () => {
    const rig = createRig();
    rig.failing.set('digest', FULL);
    await rig.boot(schedule());
    for (let day = 0; day < 3; day++) {
      await rig.clock.pass(10 * MINUTE_MS);
      rig.clock.jump(DAY_MS - 10 * MINUTE_MS);
    }
    rig.failing.clear();
    await rig.clock.pass(MINUTE_MS);
    expect(rig.started()).toEqual(['2026-11-22T07:00Z']);
  });

  test('without `catch_up` it is tried for a minute', async () => {
    const rig = createRig();
    rig.failing.set('digest', FULL);
    await rig.boot(schedule({ catchUp: false }));
    await rig.clock.pass(2 * HOUR_MS);
    rig.failing.clear();
    await rig.clock.pass(HOUR_MS);
    expect(rig.started()).toEqual([]);
    expect(rig.outcomes()).toEqual(['missed']);
    expect(rig.conditions()).toMatchObject([{ code: 'SCHEDULE_FAILED' }]);
    await rig.clock.pass(DAY_MS);
    expect(rig.started()).toEqual(['2026-11-21T07:00Z']);
    expect(rig.conditions()).toEqual([]);
  });

  test('a note that cannot be written counts, and is written later', async () => {
    const rig = createRig('2026-11-20T06:59:00Z');
    await rig.boot(schedule());
    const { put } = rig.kept;
    rig.kept.put = () => Promise.reject(FULL);
    await rig.clock.pass(5 * MINUTE_MS);
    expect(rig.started()).toEqual(['2026-11-20T07:00Z']);
    expect(rig.conditions()).toMatchObject([{ code: 'SCHEDULE_FAILED', fix: 'Make space.' }]);
    rig.kept.put = put;
    await rig.clock.pass(MINUTE_MS);
    expect(rig.conditions()).toEqual([]);
    rig.kill();
    await rig.boot(schedule());
    expect(rig.started()).toEqual(['2026-11-20T07:00Z']);
  });
});

describe('a pause', () => {
  const pause = { message: 'the daemon is paused', fix: 'Run `sluice resume`.' };

  test.each([
    [true, ['2026-11-20T07:00Z']],
    [false, []],
  ])(
    'nothing starts, one condition says so; after it what was missed (catch_up: %s)',
    async (catchUp, due) => {
      const rig = createRig();
      rig.blocked = pause;
      await rig.boot(schedule({ catchUp }));
      await rig.clock.pass(30 * MINUTE_MS);
      expect(rig.conditions()).toEqual([]);
      await rig.clock.passTo('2026-11-20T07:00:30Z');
      expect(rig.conditions()).toMatchObject([{ code: 'SCHEDULE_FAILED', fix: 'Run `sluice resume`.' }]);
      await rig.clock.pass(2 * HOUR_MS);
      expect(rig.started()).toEqual([]);
      await rig.unblock();
      expect(rig.started()).toEqual(due);
      expect(rig.conditions()).toEqual([]);
    },
  );
});

describe('a reload', () => {
  test('an unchanged schedule keeps its memory, other settings are taken over', async () => {
    const rig = createRig('2026-11-20T06:59:00Z');
    await rig.boot(schedule());
    await rig.clock.pass(2 * MINUTE_MS);
    await rig.reload(schedule({ overlap: 'queue', inputs: { day: 'today' } }));
    expect(rig.started()).toEqual(['2026-11-20T07:00Z']);
    await rig.clock.pass(DAY_MS);
    expect(rig.runs.map(({ inputs }) => inputs)).toEqual([{}, { day: 'today' }]);
  });

  test.each([{ cron: '30 6 * * *' }, { timezone: 'Europe/London' }, { workflow: 'other' }])(
    'a changed one begins anew from now: %o',
    async (change) => {
      const rig = createRig('2026-11-20T06:50:00Z');
      await rig.boot(schedule());
      rig.clock.jump(DAY_MS);
      await rig.reload(schedule(change));
      expect(rig.started()).toEqual([]);
      await rig.clock.pass(DAY_MS);
      expect(rig.started()).toHaveLength(1);
    },
  );

  test('…also when it was changed while no process ran', async () => {
    const rig = createRig();
    await rig.boot(schedule());
    await rig.shutDown();
    rig.clock.jump(3 * DAY_MS);
    await rig.boot(schedule({ cron: '30 5 * * *' }));
    expect(rig.started()).toEqual([]);
  });

  test('one that is gone is forgotten, with its problem', async () => {
    const rig = createRig();
    rig.failing.set('digest', FULL);
    await rig.boot(schedule(), schedule({ name: 'other' }));
    await rig.clock.pass(2 * HOUR_MS);
    expect(rig.conditions()).toHaveLength(1);
    await rig.reload(schedule({ name: 'other' }));
    expect(rig.conditions()).toEqual([]);
    expect((await rig.kept.list('schedule')).map(({ name }) => name)).toEqual(['other']);
    rig.failing.clear();
    await rig.reload(schedule(), schedule({ name: 'other' }));
    await rig.clock.pass(MINUTE_MS);
    expect(rig.started()).toEqual([]);
  });
});

test('disposed in the middle of a start: the start is noted, nothing more begins', async () => {
  const rig = createRig('2026-11-20T06:59:59Z');
  const { promise, resolve } = Promise.withResolvers<void>();
  rig.gate = promise;
  const schedules = await rig.boot(schedule());
  await rig.clock.pass(1_000);
  let isDisposed = false;
  const over = schedules[Symbol.asyncDispose]().then(() => {
    isDisposed = true;
  });
  await settled();
  expect(isDisposed).toBe(false);
  resolve();
  await over;
  expect(rig.events.map(({ due }) => due)).toMatchObject([{ outcome: 'started', runId: 'run-1' }]);
  expect(await rig.kept.get('schedule', 'digest')).toMatchObject({ last: { runId: 'run-1' } });
  expect(rig.clock.timers).toBe(0);
});

test('a start that takes long holds up no other schedule, and is not repeated', async () => {
  const rig = createRig('2026-11-20T06:59:59Z');
  const { promise, resolve } = Promise.withResolvers<void>();
  rig.gate = promise;
  await rig.boot(schedule());
  await rig.clock.pass(1_000);
  rig.gate = undefined;
  await rig.reload(schedule(), schedule({ name: 'other', cron: '*/5 * * * *' }));
  await rig.clock.pass(11 * MINUTE_MS);
  expect(rig.started('other')).toEqual(['2026-11-20T07:05Z', '2026-11-20T07:10Z']);
  resolve();
  await rig.clock.pass(HOUR_MS);
  expect(rig.started()).toEqual(['2026-11-20T07:00Z']);
});

test('taken out by a reload in the middle of its start, it leaves nothing behind', async () => {
  const rig = createRig('2026-11-20T06:59:59Z');
  const { promise, resolve } = Promise.withResolvers<void>();
  rig.gate = promise;
  await rig.boot(schedule());
  await rig.clock.pass(1_000);
  await rig.reload();
  resolve();
  await settled();
  expect(await rig.kept.list('schedule')).toEqual([]);
});

/** Whatever clocks, processes, pauses, full disks and long runs do together: nothing twice, nothing early, nothing stuck. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createDueTimes } from '../../src/schedules/due-times.ts';
import { createRig, FULL, schedule } from './rig.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

type Event =
  | { readonly does: 'pass' | 'sleep' | 'set back'; readonly minutes: number }
  | { readonly does: 'restart' | 'kill' | 'die after start' | 'pause' | 'go on' | 'reload' }
  | { readonly does: 'fill disk' | 'free disk' | 'end a run' };

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ does: fc.constant('pass' as const), minutes: fc.integer({ min: 1, max: 90 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('sleep' as const),
      minutes: fc.integer({ min: 1, max: 3_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant('set back' as const),
      minutes: fc.integer({ min: 1, max: 180 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      ...(['restart', 'kill', 'die after start', 'pause', 'go on'] as const).map((does) => ({ does })),
      ...(['reload', 'fill disk', 'free disk', 'end a run', 'end a run'] as const).map((does) => ({ does })),
    ),
  },
);

test('nothing twice, nothing that is not due, nothing early; at the end it works again', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('*/15 * * * *', '0 * * * *', '30 2 * * *', '*/20 1-3 * * *', '5,50 2 * * *'),
      fc.constantFrom('Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'UTC'),
      fc.constantFrom(
        '2026-03-28T20:00:00Z',
        '2026-10-24T20:00:00Z',
        '2026-10-31T22:00:00Z',
        '2026-04-04T10:00:00Z',
      ),
      fc.constantFrom('skip' as const, 'queue' as const, 'cancel' as const),
      fc.boolean(),
      fc.boolean(),
      fc.array(event, { minLength: 3, maxLength: 25 }),
      async (cron, timezone, start, overlap, catchUp, areLong, events) => {
        const rig = createRig(start);
        const own = schedule({ cron, timezone, overlap, catchUp });
        const times = createDueTimes(own);
        rig.areLong = areLong;
        await rig.boot(own);
        let highest = rig.clock.wall;
        for (const one of events) {
          highest = Math.max(highest, rig.clock.wall);
          switch (one.does) {
            case 'pass':
              await rig.clock.pass(one.minutes * MINUTE_MS);
              break;
            case 'sleep':
              rig.clock.jump(one.minutes * MINUTE_MS);
              break;
            case 'set back':
              rig.clock.jump(-one.minutes * MINUTE_MS);
              break;
            case 'restart':
              await rig.shutDown();
              await rig.boot(own);
              break;
            case 'kill':
              rig.kill();
              await rig.boot(own);
              break;
            case 'die after start':
              rig.dieAfterStart = true;
              await rig.clock.pass(HOUR_MS);
              rig.dieAfterStart = false;
              rig.kill();
              await rig.boot(own);
              break;
            case 'pause':
              rig.blocked = { message: 'the daemon is paused', fix: 'Run `sluice resume`.' };
              break;
            case 'go on':
              await rig.unblock();
              break;
            case 'reload':
              await rig.reload({ ...own, inputs: { n: 1 } });
              break;
            case 'fill disk':
              rig.failing.set('digest', FULL);
              break;
            case 'free disk':
              rig.failing.clear();
              break;
            case 'end a run': {
              const running = rig.runs.find((run) => !run.isOver);
              if (running) await rig.end(running);
              break;
            }
            default:
              one satisfies never;
          }
        }

        highest = Math.max(highest, rig.clock.wall);
        const started = rig.runs.map(({ dueAt }) => dueAt);
        expect(new Set(started).size).toBe(started.length);
        for (const { dueAt, at } of rig.runs) {
          expect(times.after(dueAt - 1)).toBe(dueAt);
          // What waited for the run before it may start at a time that the clock was set back to.
          const wasSetBack = events.some(({ does }) => does === 'set back');
          expect(wasSetBack ? highest : at).toBeGreaterThanOrEqual(dueAt);
          expect(dueAt).toBeGreaterThan(Date.parse(start));
        }

        // When nothing is in the way any more, the next due time is started at its time.
        rig.failing.clear();
        rig.areLong = false;
        await rig.unblock();
        for (const run of rig.runs) run.isOver = true;
        // A clock that was set back comes to where it has been.
        rig.clock.wall = Math.max(highest, rig.clock.wall);
        await rig.clock.pass(2 * MINUTE_MS);
        const next = times.after(rig.clock.wall) as number;
        rig.clock.wall = next - MINUTE_MS;
        await rig.clock.pass(2 * MINUTE_MS);
        expect(rig.runs.at(-1)?.dueAt).toBe(times.latest(next - 1, rig.clock.wall));
        expect(rig.conditions()).toEqual([]);
        rig.kill();
      },
    ),
    { numRuns: 60 },
  );
});

import fc from 'fast-check';
import { test } from 'vitest';
import { type Interruption, surviveInterruptions } from '../badinput/interruptions.ts';
import { say } from './say.ts';

const SEQUENCES = 3;

const interruption: fc.Arbitrary<Interruption> = fc.record(
  {
    signal: fc.constantFrom('SIGINT', 'SIGTERM', 'SIGKILL'),
    afterMs: fc.integer({ min: 0, max: 1_200 }),
    againAfterMs: fc.integer({ min: 0, max: 300 }),
  },
  { requiredKeys: ['signal', 'afterMs'] },
);

test.each(['start', 'run'] as const)(
  '`%s` is interrupted at random moments until all is done',
  async (command) => {
    const began = performance.now();
    let restarts = 0;
    let starts = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(interruption, { minLength: 8, maxLength: 8 }), async (interruptions) => {
        const survived = await surviveInterruptions(command, 120, interruptions);
        restarts += survived.restarts;
        starts += survived.starts;
      }),
      { numRuns: SEQUENCES, endOnFailure: true },
    );
    say(
      `sluice ${command}: ${restarts} interruptions of ${SEQUENCES} × 120 files, ${starts} attempts: none lost, none doubled, no process left`,
      began,
    );
  },
);

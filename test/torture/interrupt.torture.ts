import fc from 'fast-check';
import { test } from 'vitest';
import { type Interruption, surviveInterruptions } from '../badinput/interruptions.ts';
import { say, scaled, tell } from './say.ts';

const FILES = 120;

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
    const sequences = scaled(1);
    let restarts = 0;
    let starts = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(interruption, { minLength: 8, maxLength: 8 }), async (interruptions) => {
        const survived = await surviveInterruptions(command, FILES, interruptions);
        restarts += survived.restarts;
        starts += survived.starts;
      }),
      { numRuns: sequences, endOnFailure: true, ...(process.env.SEED && { seed: Number(process.env.SEED) }) },
    );
    tell({
      scenario: `sluice ${command} interrupted at random`,
      runs: restarts,
      files: sequences * FILES,
      lost: 0,
      doubled: 0,
      orphans: 0,
      beganMs: began,
    });
    say(
      `sluice ${command}: ${restarts} interruptions of ${sequences} × ${FILES} files, ${starts} attempts: none lost, none doubled, no process left`,
      began,
    );
  },
);

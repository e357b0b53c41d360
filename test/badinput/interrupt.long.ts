/** Ctrl-C at any moment; at full size in `npm run torture`. */
import fc from 'fast-check';
import { test } from 'vitest';
import { type Interruption, surviveInterruptions } from './interruptions.ts';

const interruption: fc.Arbitrary<Interruption> = fc.record(
  {
    signal: fc.constantFrom('SIGINT', 'SIGTERM', 'SIGKILL'),
    afterMs: fc.integer({ min: 0, max: 900 }),
    againAfterMs: fc.integer({ min: 0, max: 200 }),
  },
  { requiredKeys: ['signal', 'afterMs'] },
);

test.each(['start', 'run'] as const)(
  '`%s` that is interrupted at random moments loses and doubles nothing',
  async (command) => {
    await fc.assert(
      fc.asyncProperty(fc.array(interruption, { minLength: 3, maxLength: 3 }), async (interruptions) => {
        await surviveInterruptions(command, 60, interruptions);
      }),
      { numRuns: 1, endOnFailure: true },
    );
  },
);

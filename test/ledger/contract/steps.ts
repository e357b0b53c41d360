/** Steps and the items of `for_each`: kept whole, asked for in pages and numbers, forgotten for a resume. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StepRecord, StepState } from '../../../src/types/run.ts';
import type { MakePlace } from '../contract.ts';
import { run, step } from '../run-specs.ts';

const whole: StepRecord = step(
  'r',
  'lint',
  {
    item: { path: 'a.py', n: null },
    state: 'failed',
    reason: 'exit_code',
    message: 'exit code 1',
    fix: 'mend it',
    jobId: 'j',
    subRunId: 's',
    result: 'text with \0 and \u{10ffff}\n',
    resultBytes: 99_999,
    outputs: { n: 1 },
    cachedFrom: 'k',
    counts: { items: 3 },
    waitUntil: 9_000,
    answer: { verdict: 'rejected', by: 'me', comment: 'no' },
    startedAt: 0,
    endedAt: 2,
  },
  7,
);

const names = (steps: readonly StepRecord[]): string[] => steps.map(({ id }) => id);

export function stepContract(makePlace: MakePlace): void {
  test('steps come back whole and in the order in which they began, each once', async () => {
    const place = makePlace();
    {
      await using ledger = await place.open(() => 1_000);
      await ledger.runs.putStep(step('r', 'zeta'));
      await ledger.runs.putSteps([whole, step('r', 'alpha'), step('other', 'zeta')]);
      await ledger.runs.putStep(step('r', 'zeta', { state: 'succeeded', result: '', outputs: {} }));
    }
    await using ledger = await place.open(() => 1_000);
    const { runs } = ledger;
    expect(await runs.steps('r')).toEqual([
      step('r', 'zeta', { state: 'succeeded', result: '', outputs: {} }),
      step('r', 'alpha'),
    ]);
    const [zeta] = await runs.steps('r', { withResults: false });
    expect(zeta, 'without its text').toEqual(step('r', 'zeta', { state: 'succeeded', outputs: {} }));
    expect(await runs.step('r', 'lint[7]')).toEqual(whole);
    expect(await runs.items('r', 'lint', 0, 10)).toEqual([whole]);
    await runs.putStep(step('r', 'lint', {}, 7));
    expect(await runs.step('r', 'lint[7]'), 'replaced, not merged').toEqual(step('r', 'lint', {}, 7));
    for (const id of ['lint', 'lint[8]', 'lint[]', 'Zeta', ''])
      expect(await runs.step('r', id), id).toBeUndefined();
    expect(await runs.steps('none')).toEqual([]);
  });

  test('whatever a step holds comes back', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const text = fc.string({ unit: 'grapheme', maxLength: 40 });
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      .filter((one) => !/\[\d+\]$/.test(one));
    const index = fc.option(fc.nat({ max: 100_000 }), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(name, text, fc.jsonValue(), index, async (stepName, result, value, at) => {
        // What has no sign is written as JSON writes it.
        const item = JSON.parse(JSON.stringify(value)) as unknown;
        const record = step('r', stepName, { result, item, message: result, outputs: { item } }, at);
        await ledger.runs.putStep(record);
        expect(await ledger.runs.step('r', record.id)).toEqual(record);
      }),
      { numRuns: 200 },
    );
  });

  test('a step whose name looks like an item is found before the item', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    await ledger.runs.putStep(step('r', 'a', {}, 3));
    expect((await ledger.runs.step('r', 'a[3]'))?.index).toBe(3);
    await ledger.runs.putStep(step('r', 'a[3]'));
    expect((await ledger.runs.step('r', 'a[3]'))?.name).toBe('a[3]');
    expect(names(await ledger.runs.items('r', 'a', 0, 9))).toEqual(['a[3]']);
  });

  test('items are told in pages, by state as numbers, and counted', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const { runs } = ledger;
    const states: StepState[] = ['running', 'succeeded', 'failed', 'cached'];
    // Put in another order than that of their numbers.
    const order = Array.from({ length: 2_500 }, (_, i) => (i * 7) % 2_500);
    await runs.putStep(step('r', 'e'));
    await runs.putSteps(order.map((i) => step('r', 'e', { state: states[i % 4] as StepState }, i)));
    await runs.putStep(step('r', 'f', {}, 1));
    const indexes = (page: readonly StepRecord[]): (number | undefined)[] => page.map(({ index }) => index);
    expect(indexes(await runs.items('r', 'e', 0, 3))).toEqual([0, 1, 2]);
    expect(indexes(await runs.items('r', 'e', 2_498, 3))).toEqual([2_498, 2_499]);
    expect(indexes(await runs.items('r', 'e', -5, 1))).toEqual([0]);
    expect(await runs.items('r', 'e', 2_500, 3)).toEqual([]);
    const failed = await runs.itemIndexes('r', 'e', ['failed']);
    expect(failed).toEqual(Array.from({ length: 625 }, (_, i) => 4 * i + 2));
    expect(await runs.itemIndexes('r', 'e', states)).toEqual(Array.from({ length: 2_500 }, (_, i) => i));
    expect(await runs.itemIndexes('r', 'e', [])).toEqual([]);
    expect(await runs.itemIndexes('r', 'none', states)).toEqual([]);
    expect(await runs.itemCounts('r', 'e')).toEqual({
      running: 625,
      succeeded: 625,
      failed: 625,
      cached: 625,
    });
    expect(await runs.itemCounts('r', 'none')).toEqual({});
    expect(names(await runs.steps('r')), 'items are no steps').toEqual(['e']);
  });

  test('steps and items are forgotten, others stay', async () => {
    const place = makePlace();
    {
      await using ledger = await place.open(() => 1_000);
      const { runs } = ledger;
      for (const name of ['a', 'b']) {
        await runs.putStep(step('r', name, { state: 'failed' }));
        await runs.putSteps(
          Array.from({ length: 4_500 }, (_, i) => step('r', name, { state: i % 2 ? 'failed' : 'cached' }, i)),
        );
      }
      await runs.putStep(step('s', 'a'));
      await runs.forgetSteps('r', ['a', 'none']);
      await runs.forgetItems('r', 'b', ['failed', 'running']);
    }
    await using ledger = await place.open(() => 1_000);
    const { runs } = ledger;
    expect(names(await runs.steps('r'))).toEqual(['b']);
    expect(await runs.itemCounts('r', 'a')).toEqual({});
    expect(await runs.itemCounts('r', 'b')).toEqual({ cached: 2_250 });
    expect(names(await runs.steps('s'))).toEqual(['a']);
    await runs.forgetItems('r', 'b', []);
    expect(await runs.itemCounts('r', 'b')).toEqual({ cached: 2_250 });
  });

  test('a large run is read back whole, with numbers about its many items', async () => {
    const place = makePlace();
    const [steps, items] = [10_000, 20_000];
    {
      await using ledger = await place.open(() => 1_000);
      await ledger.runs.create(run('r'));
      const result = 'x'.repeat(300);
      for (let i = 0; i < steps; i++)
        await ledger.runs.putStep(step('r', `s${i}`, { state: 'succeeded', jobId: `j${i}`, result }));
      for (let i = 0; i < items; i++) {
        await ledger.runs.putStep(step('r', 'e', { state: 'succeeded', item: { i }, result }, i));
        if (i % 5_000 === 0) await ledger.durable();
      }
    }
    await using ledger = await place.open(() => 1_000);
    expect(await ledger.runs.open()).toHaveLength(1);
    expect(await ledger.runs.steps('r')).toHaveLength(steps);
    expect(await ledger.runs.itemCounts('r', 'e')).toEqual({ succeeded: items });
    expect(await ledger.runs.itemIndexes('r', 'e', ['succeeded'])).toHaveLength(items);
  });
}

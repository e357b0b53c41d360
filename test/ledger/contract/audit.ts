/** Who changed what. */
import { expect, test } from 'vitest';
import type { MakePlace } from '../contract.ts';

export function auditContract(makePlace: MakePlace): void {
  test('audit entries come back whole, newest first', async () => {
    let now = 1_000;
    const place = makePlace();
    {
      await using ledger = await place.open(() => now);
      await ledger.audit.append({ type: 'config_reloaded', who: 'file', data: { changed: ['agents.lint'] } });
      now = 2_000;
      await ledger.audit.append({ type: 'paused', who: 'cli', data: undefined });
    }
    await using ledger = await place.open(() => now);
    const entries = (await ledger.audit.list(10)).map((entry) => ({ ...entry }));
    expect(entries).toEqual([
      { at: 2_000, type: 'paused', who: 'cli', data: null },
      { at: 1_000, type: 'config_reloaded', who: 'file', data: { changed: ['agents.lint'] } },
    ]);
    expect(await ledger.audit.list(1)).toHaveLength(1);
  });

  test('of audit entries the newest stay', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    for (const who of ['a', 'b', 'c', 'd'])
      await ledger.audit.append({ type: 'agent_pause', who, data: undefined });
    expect(await ledger.audit.prune(4)).toBe(0);
    expect(await ledger.audit.prune(2)).toBe(2);
    expect((await ledger.audit.list(10)).map(({ who }) => who)).toEqual(['d', 'c']);
    await ledger.audit.append({ type: 'agent_pause', who: 'e', data: undefined });
    expect(await ledger.audit.prune(2)).toBe(1);
    expect((await ledger.audit.list(10)).map(({ who }) => who)).toEqual(['e', 'd']);
  });

  test('the id of a ledger is made once', async () => {
    const place = makePlace();
    let id: string;
    {
      await using ledger = await place.open(() => 1_000);
      id = ledger.id;
    }
    await using again = await place.open(() => 1_000);
    expect(again.id).toBe(id);
    expect(id).not.toBe('');
  });
}

/** What the operations page says of conditions and of the unit is what the code has. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { unitTemplate } from '../../src/service/unit.ts';
import { errorCodes } from '../../src/types/error-codes.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'operations.md'), 'utf8');

test('every condition of the page is a code', () => {
  const named = [...page.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code as string);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((code) => !(code in errorCodes))).toEqual([]);
});

test('the figures of the unit are those of the page', () => {
  expect(page).toContain('for 30 seconds (`WatchdogSec`)');
  expect(page).toContain('The unit gives 90 seconds');
  expect(unitTemplate()).toMatch(/^WatchdogSec=30$/m);
  expect(unitTemplate()).toMatch(/^TimeoutStopSec=90$/m);
});

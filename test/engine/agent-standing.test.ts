import { expect, test } from 'vitest';
import { closedBreaker } from '../../src/coordinator/breaker.ts';
import { canWork, type StandingFacts, standingOf } from '../../src/engine/agent-standing.ts';

const now = 1_000;
const problem = { message: 'not installed', fix: 'install it' };
const quota = { reason: 'quota', message: 'used up', until: 2_000 };
const refused = { reason: 'auth', message: 'no key', fix: 'log in', until: 2_000 };
const paused = { reason: 'paused', message: 'paused by the owner' };
const open = { at: 'open', until: 5_000, pauseMs: 4_000, reason: '3 of 4 failed' } as const;
const halfOpen = { at: 'half_open', pauseMs: 4_000, reason: '3 of 4 failed' } as const;

test.each<[string, Omit<StandingFacts, 'now'>, object, boolean]>([
  ['nothing', {}, { at: 'active' }, true],
  ['a closed breaker', { breaker: closedBreaker }, { at: 'active' }, true],
  ['no program', { problem }, { at: 'unavailable', ...problem }, false],
  ['a quota', { parked: quota }, { at: 'parked', ...quota }, false],
  ['a quota whose time has come', { parked: { ...quota, until: now } }, { at: 'active' }, true],
  ['a pause', { parked: paused }, { at: 'paused', message: paused.message }, false],
  [
    'a service that does not let it in',
    { parked: refused },
    { at: 'not_logged_in', until: 2_000, message: 'no key', fix: 'log in' },
    false,
  ],
  [
    'one that is about to be tried again',
    { parked: { ...refused, until: now } },
    { at: 'not_logged_in', message: 'no key', fix: 'log in' },
    false,
  ],
  ['no program before a log-in', { parked: refused, problem }, { at: 'unavailable', ...problem }, false],
  [
    'a pause before all',
    { parked: paused, problem, breaker: open },
    { at: 'paused', message: paused.message },
    false,
  ],
  ['no program before a quota', { parked: quota, problem }, { at: 'unavailable', ...problem }, false],
  ['a quota before a breaker', { parked: quota, breaker: open }, { at: 'parked', ...quota }, false],
  ['an open breaker', { breaker: open }, { at: 'breaker_open', until: 5_000, message: open.reason }, false],
  [
    'one whose time has come',
    { breaker: { ...open, until: now } },
    { at: 'breaker_half_open', message: open.reason },
    true,
  ],
  ['one that is tried', { breaker: halfOpen }, { at: 'breaker_half_open', message: open.reason }, true],
])('%s', (_what, facts, standing, isAble) => {
  const found = standingOf({ ...facts, now });
  expect(found).toEqual(standing);
  expect(canWork(found)).toBe(isAble);
});

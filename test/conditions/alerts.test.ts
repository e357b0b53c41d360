/** Alerts reach a real server, whatever it does; what it does never reaches the daemon. */
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type Alerts, type AlertsOptions, createAlerts } from '../../src/conditions/alerts.ts';
import { type ConditionBoard, createConditionBoard } from '../../src/conditions/board.ts';
import type { AlertConfig } from '../../src/config/config.ts';
import { createSecrets } from '../../src/secrets/secrets.ts';
import type { ErrorCode } from '../../src/types/error-codes.ts';
import { createKept } from './kept.ts';
import { startReceiver, status, until } from './receiver.ts';

const config = (webhook: string, more: Partial<AlertConfig> = {}): AlertConfig => ({
  on: ['all'],
  webhook,
  format: 'json',
  minIntervalMs: 300_000,
  ...more,
});

interface Rig {
  readonly board: ConditionBoard;
  readonly alerts: Alerts;
  raise(code: ErrorCode, subject?: string): void;
  clear(code: ErrorCode, subject?: string): void;
}

function start(alerts: readonly AlertConfig[], more: Partial<AlertsOptions> = {}): Rig {
  const board = createConditionBoard({ now: Date.now });
  const secrets = createSecrets({
    env: { HOOK: 'http-secret-path', TOKEN: 'tok-5up3rsecret' },
    projectDir: '/',
  });
  const created = createAlerts({
    alerts,
    project: 'mill',
    conditions: board,
    kept: createKept(),
    resolve: secrets.resolve,
    redact: secrets.redact,
    now: Date.now,
    random: Math.random,
    gatherMs: 20,
    initialBackoffMs: 20,
    ...more,
  });
  onTestFinished(() => created[Symbol.asyncDispose]());
  return {
    board,
    alerts: created,
    raise: (code, subject = '') =>
      board.raise({ code, subject, message: `${code} is so`, fix: 'do something' }),
    clear: (code, subject = '') => board.clear(code, subject),
  };
}

const codes = (board: ConditionBoard): string[] => board.list().map(({ code }) => code);

test('an opening and its end are told once each, with everything that a person needs', async () => {
  const receiver = await startReceiver();
  const { raise, clear } = start([config(receiver.url)]);
  raise('DISK_LOW', '/data');
  raise('DISK_LOW', '/data');
  await until('it is told', () => receiver.got.length === 1);
  clear('DISK_LOW', '/data');
  await until('its end is told', () => receiver.got.length === 2);
  expect(receiver.said).toMatchObject([
    {
      event: 'opened',
      code: 'DISK_LOW',
      subject: '/data',
      message: 'DISK_LOW is so',
      fix: 'do something',
      project: 'mill',
    },
    { event: 'cleared', code: 'DISK_LOW', subject: '/data' },
  ]);
  expect(receiver.said[0]).toHaveProperty('since');
  expect(receiver.said[0]).toHaveProperty('host');
});

test('what flaps is told once an interval; a target hears only what it asked for', async () => {
  const receiver = await startReceiver();
  const { raise, clear } = start([config(receiver.url, { on: ['DISK_LOW', 'DELAY'] })]);
  raise('RUNS_AS_ROOT');
  for (let n = 0; n < 5; n++) {
    raise('DISK_LOW');
    if (n === 0) await until('it is told', () => receiver.got.length === 1);
    clear('DISK_LOW');
    if (n === 0) await until('its end is told', () => receiver.got.length === 2);
  }
  raise('DELAY');
  await until('the other one is told', () => receiver.got.length === 3);
  expect(receiver.said.map(({ event, code }) => `${event} ${code}`)).toEqual([
    'opened DISK_LOW',
    'cleared DISK_LOW',
    'opened DELAY',
  ]);
});

test('after the interval it is told again', async () => {
  const receiver = await startReceiver();
  const { raise, clear } = start([config(receiver.url, { minIntervalMs: 500 })]);
  raise('DISK_LOW');
  await until('it is told', () => receiver.got.length === 1);
  clear('DISK_LOW');
  await until('its end is told', () => receiver.got.length === 2);
  raise('DISK_LOW');
  await until('it is told again', () => receiver.got.length === 3);
  const [first, , third] = receiver.got;
  expect((third?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(300);
});

test('what opens and is over before anybody could be told is told once', async () => {
  const receiver = await startReceiver();
  const { raise, clear } = start([config(receiver.url)], { gatherMs: 60 });
  raise('BREAKER_OPEN', 'claude');
  clear('BREAKER_OPEN', 'claude');
  raise('DELAY');
  await until('both are told', () => receiver.got.length === 2);
  expect(receiver.said.map(({ event, code }) => `${event} ${code}`).toSorted()).toEqual([
    'cleared BREAKER_OPEN',
    'opened DELAY',
  ]);
});

test('a hundred of one kind are one message with a count', async () => {
  const receiver = await startReceiver();
  const { raise } = start([config(receiver.url)]);
  for (let n = 0; n < 100; n++) raise('ROOT_MISSING', `root-${n}`);
  raise('DELAY');
  await until('both are told', () => receiver.got.length === 2);
  const many = receiver.said.find(({ code }) => code === 'ROOT_MISSING');
  expect(many).toMatchObject({ event: 'opened', count: 100 });
  expect(many?.items?.length).toBe(20);
});

test.each([
  ['500 twice', [status(500), status(503)], 3, {}],
  ['429 with Retry-After', [status(429, { 'retry-after': '0' })], 2, {}],
  ['a connection that is closed', [(response: { destroy(): void }) => response.destroy()], 2, {}],
  ['no answer at all', [() => {}], 2, { timeoutMs: 1_000 }],
])('%s: it is tried again, and told once', async (_, answers, requests, more) => {
  const receiver = await startReceiver();
  receiver.answer(...answers);
  const { raise, board } = start([config(receiver.url)], more);
  raise('DELAY');
  await until('it got through', () => receiver.got.length === requests);
  const ids = new Set(receiver.got.map(({ body }) => (JSON.parse(body) as { id: string }).id));
  expect(ids.size).toBe(1);
  expect(codes(board)).toEqual(['DELAY']);
});

test('Retry-After is waited for', async () => {
  const receiver = await startReceiver();
  receiver.answer(status(429, { 'retry-after': '1' }));
  start([config(receiver.url)]).raise('DELAY');
  await until('it got through', () => receiver.got.length === 2);
  expect((receiver.got[1]?.at ?? 0) - (receiver.got[0]?.at ?? 0)).toBeGreaterThanOrEqual(990);
});

test('a target that keeps failing is a condition: told to the others, not to itself, and over when it answers', async () => {
  const [bad, good] = [await startReceiver(), await startReceiver()];
  bad.answer(status(500), status(500), status(500), status(500));
  const { raise, board } = start([config(bad.url), config(good.url)]);
  raise('DELAY');
  await until('it is a condition', () => codes(board).includes('ALERT_FAILED'));
  const failed = board.list().find(({ code }) => code === 'ALERT_FAILED');
  const address = new URL(bad.url);
  expect(failed?.subject).toBe(`alerts[0] (${address.host})`);
  expect(JSON.stringify(failed)).not.toContain('/hook');
  await until('the other one hears of it', () => good.said.some(({ code }) => code === 'ALERT_FAILED'));
  await until('it is over', () => !codes(board).includes('ALERT_FAILED'));
  expect(bad.said.filter(({ code }) => code === 'ALERT_FAILED')).toEqual([]);
  expect(bad.said.filter(({ code }) => code === 'DELAY').length).toBeGreaterThan(1);
});

test('a redirect is not followed, and a webhook that is not to be had is a condition at once', async () => {
  const [moved, elsewhere] = [await startReceiver(), await startReceiver()];
  moved.answer(status(302, { location: elsewhere.url }));
  const { raise, board } = start([config(moved.url), config('${env:NOT_THERE}')]);
  raise('DELAY');
  await until(
    'both are conditions',
    () => codes(board).filter((code) => code === 'ALERT_FAILED').length === 2,
  );
  expect(elsewhere.got).toEqual([]);
  const said = board.list().map(({ message }) => message);
  expect(said.join('\n')).toContain('redirects are not followed');
  expect(said.join('\n')).toContain('NOT_THERE');
});

test('a message that the receiver refuses does not keep the next ones back', async () => {
  const receiver = await startReceiver();
  receiver.answer(status(400));
  const { raise, board } = start([config(receiver.url)]);
  raise('DELAY');
  await until('it is a condition', () => codes(board).includes('ALERT_FAILED'));
  raise('DISK_LOW');
  await until('the next one got through', () => !codes(board).includes('ALERT_FAILED'));
  expect(receiver.said.map(({ code }) => code)).toEqual(['DELAY', 'DISK_LOW']);
});

test('one that hangs holds up neither another nor the end', async () => {
  const [hanging, good] = [await startReceiver(), await startReceiver()];
  hanging.answer(...Array.from({ length: 5 }, () => () => {}));
  const { raise, alerts } = start([config(hanging.url), config(good.url)]);
  raise('DELAY');
  await until('the other one is told', () => good.got.length === 1 && hanging.got.length === 1);
  const before = performance.now();
  await alerts[Symbol.asyncDispose]();
  expect(performance.now() - before).toBeLessThan(8_000);
});

test('what is pending at the end is still told', async () => {
  const receiver = await startReceiver();
  const { raise, alerts } = start([config(receiver.url)], { gatherMs: 60_000 });
  raise('DELAY');
  await alerts[Symbol.asyncDispose]();
  expect(receiver.said).toMatchObject([{ event: 'opened', code: 'DELAY' }]);
});

test('a restart tells nothing twice, tells what could not be told, and what is over since', async () => {
  const receiver = await startReceiver();
  const kept = createKept();
  const alerts = [config(receiver.url)];
  const first = start(alerts, { kept });
  first.raise('RUNS_AS_ROOT');
  first.raise('ROOT_MISSING', 'usb');
  await until('both are told', () => receiver.got.length === 2);
  receiver.answer(...Array.from({ length: 50 }, () => status(500)));
  first.raise('DELAY');
  await until('the third one failed', () => receiver.got.length >= 3);
  await first.alerts[Symbol.asyncDispose]();
  receiver.recover();
  const before = receiver.got.length;

  const second = start(alerts, { kept, settleMs: 100 });
  second.raise('RUNS_AS_ROOT');
  second.raise('DELAY');
  await until('the rest is told', () => receiver.got.length === before + 2);
  expect(
    receiver.said
      .slice(before)
      .map(({ event, code }) => `${event} ${code}`)
      .toSorted(),
  ).toEqual(['cleared ROOT_MISSING', 'opened DELAY']);
});

test('successes come together, the digest of a day once, also over a restart', async () => {
  const receiver = await startReceiver();
  const kept = createKept();
  const alerts = [
    config(receiver.url, { on: ['success', 'digest'] }),
    config(`${receiver.url}?other`, { on: ['DELAY'] }),
  ];
  const first = start(alerts, { kept });
  first.raise('DISK_LOW');
  for (const name of ['a', 'b', 'c'])
    first.alerts.succeeded({ subject: name, message: `${name} is done`, at: Date.now() });
  await until('they are told', () => receiver.got.length === 1);
  expect(receiver.said[0]).toMatchObject({ event: 'success', code: null, count: 3 });
  await first.alerts.digest('2026-11-19', async () => undefined);
  await first.alerts.digest('2026-11-20', async () => '12 jobs');
  await until('the digest is told', () => receiver.got.length === 2);
  expect(receiver.said[1]).toMatchObject({ event: 'digest', subject: '2026-11-20', message: '12 jobs' });
  await first.alerts.digest('2026-11-20', async () => 'again');
  await first.alerts[Symbol.asyncDispose]();

  const second = start(alerts, { kept });
  await second.alerts.digest('2026-11-20', async () => 'again');
  second.alerts.succeeded({ subject: 'd', message: 'd is done', at: Date.now() });
  await until('the next is told', () => receiver.got.length === 3);
  expect(receiver.said[2]).toMatchObject({ event: 'success', subject: 'd' });
});

test('a storm of successes is bounded, and never in the way of a condition', async () => {
  const receiver = await startReceiver();
  receiver.answer(status(500));
  const { alerts, raise } = start([config(receiver.url, { on: ['all', 'success'] })]);
  for (let n = 0; n < 5_000; n++) alerts.succeeded({ subject: `f${n}`, message: 'done', at: n });
  raise('DELAY');
  await until('both are told', () => receiver.got.length === 3);
  expect(receiver.said[1]).toMatchObject({ code: 'DELAY' });
  expect(receiver.said[2]).toMatchObject({ event: 'success', count: 1_000 });
});

test('secrets are in no message, credentials of the URL become a header', async () => {
  const receiver = await startReceiver();
  const url = new URL(receiver.url);
  const { board } = start([config(`http://me:\${env:TOKEN}@${url.host}/\${env:HOOK}`)]);
  board.raise({ code: 'DISK_LOW', subject: '', message: 'first', fix: '' });
  await until('it is told', () => receiver.got.length === 1);
  board.raise({ code: 'DELAY', subject: 'tok-5up3rsecret', message: 'said tok-5up3rsecret', fix: 'x' });
  await until('the second is told', () => receiver.got.length === 2);
  expect(receiver.got[0]?.path).toBe('/http-secret-path');
  expect(receiver.got[0]?.headers.authorization).toBe(`Basic ${btoa('me:tok-5up3rsecret')}`);
  expect(receiver.got[1]?.body).not.toContain('5up3rsecret');
  expect(receiver.said[1]?.message).toBe('said [redacted]');
});

test('a reload adds and removes targets; what is open is told to a new one', async () => {
  const [old, fresh] = [await startReceiver(), await startReceiver()];
  const { raise, alerts, clear } = start([config(old.url)]);
  raise('DELAY');
  await until('it is told', () => old.got.length === 1);
  alerts.configure([config(fresh.url)]);
  await until('the new one is told', () => fresh.got.length === 1);
  clear('DELAY');
  await until('its end is told', () => fresh.got.length === 2);
  expect(old.got.length).toBe(1);
});

test('a port where nobody listens', async () => {
  const { raise, board } = start([config('http://127.0.0.1:9/hook')], { initialBackoffMs: 5 });
  raise('DELAY');
  await until('it is a condition', () => codes(board).includes('ALERT_FAILED'));
  expect(board.list().find(({ code }) => code === 'ALERT_FAILED')?.message).toMatch(
    /ECONNREFUSED|connection failed/,
  );
  // Nothing is left of it: the port can be asked.
  connect(9, '127.0.0.1').on('error', () => {});
});

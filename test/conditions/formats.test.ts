/** What receivers get, word by word. */
import { expect, test } from 'vitest';
import { formatAlert } from '../../src/conditions/alerts/formats.ts';
import { type AlertItem, makeMessage } from '../../src/conditions/alerts/message.ts';

const item = (more: Partial<AlertItem> = {}): AlertItem => ({
  code: 'DISK_LOW',
  subject: '/data',
  message: '1 GiB is free',
  fix: 'Make space.',
  since: Date.UTC(2026, 10, 20, 7),
  ...more,
});
const message = (event: 'opened' | 'cleared' | 'success', items: readonly AlertItem[] = [item()]) =>
  makeMessage({ event, items, project: 'mill', host: 'box', redact: (text) => text });

test('json', () => {
  const { headers, body } = formatAlert('json', message('opened'));
  expect(headers).toEqual({ 'content-type': 'application/json' });
  expect(JSON.parse(body)).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{24}$/),
    event: 'opened',
    code: 'DISK_LOW',
    subject: '/data',
    message: '1 GiB is free',
    fix: 'Make space.',
    since: '2026-11-20T07:00:00.000Z',
    project: 'mill',
    host: 'box',
    count: 1,
  });
});

test('slack: nothing in a message is markup of a link or a channel', () => {
  const { body } = formatAlert('slack', message('opened', [item({ subject: '<!here> & co' })]));
  const { text, blocks } = JSON.parse(body);
  expect(text).toBe('[mill] DISK_LOW (&lt;!here&gt; &amp; co)');
  expect(blocks[0].text.text).toContain('fix: Make space.');
  expect(body).not.toContain('<!here>');
});

test('discord: nobody is mentioned, 2,000 characters at most', () => {
  const long = Array.from({ length: 50 }, (_, n) =>
    item({ subject: `@everyone ${n}`, message: `${n} `.repeat(300) }),
  );
  const parsed = JSON.parse(formatAlert('discord', message('opened', long)).body);
  expect(parsed.content.length).toBeLessThanOrEqual(2_000);
  expect(parsed.allowed_mentions).toEqual({ parse: [] });
});

test('ntfy: title, priority and tags in headers, whatever the name', () => {
  const { headers, body } = formatAlert('ntfy', message('opened', [item({ subject: 'Bücher\nX-Evil: 1' })]));
  const title = Buffer.from(
    /^=\?UTF-8\?B\?(.*)\?=$/.exec(headers.title ?? '')?.[1] ?? '',
    'base64',
  ).toString();
  expect(title).toContain('[mill] DISK_LOW (Bücher');
  expect(headers).toMatchObject({ priority: '4', tags: 'warning' });
  expect(body).toContain('1 GiB is free\nfix: Make space.');
  expect(
    Buffer.byteLength(formatAlert('ntfy', message('opened', [item({ message: 'ä'.repeat(9_000) })])).body),
  ).toBeLessThan(4_096);
  expect(formatAlert('ntfy', message('cleared')).headers.title).toBe('[mill] DISK_LOW (/data) is over');
});

test.each(['json', 'slack', 'discord', 'ntfy'] as const)(
  '%s: characters that mislead the eye are shown as what they are',
  (format) => {
    const { body, headers } = formatAlert(
      format,
      message('success', [item({ subject: 'a\u202egpj.exe', message: '\u001b[2J' })]),
    );
    const all = `${body}${JSON.stringify(headers)}`;
    for (const char of ['\u202e', '\u001b']) expect(all).not.toContain(char);
  },
);

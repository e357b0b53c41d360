/**
 * A message in the words of its receiver. Pure. What stands in a message is data: it cannot mention a channel (`<!here>`,
 * `@everyone`) or end a header.
 */
import type { AlertConfig } from '../../config/config.ts';
import { type AlertEvent, type AlertMessage, first, linesOf, titleOf } from './message.ts';

export interface AlertRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const DISCORD_CHARS = 2_000;
/** Slack cuts a section's text; longer ones it refuses. */
const SLACK_CHARS = 2_900;
/** What is longer ntfy turns into an attachment. */
const NTFY_BYTES = 4_000;

export function formatAlert(format: AlertConfig['format'], message: AlertMessage): AlertRequest {
  switch (format) {
    case 'json':
      return json(jsonBody(message));
    case 'slack':
      return json(slackBody(message));
    case 'discord':
      return json(discordBody(message));
    case 'ntfy':
      return ntfy(message);
    default:
      return format satisfies never;
  }
}

function json(value: unknown): AlertRequest {
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}

function jsonBody(message: AlertMessage): unknown {
  const { id, event, items, count, project, host } = message;
  const view = ({ code, subject, message: text, fix, since }: AlertMessage['items'][number]) => ({
    code,
    subject,
    message: text,
    fix,
    since: new Date(since).toISOString(),
  });
  const one = view(first(items));
  const whole = count === 1 ? one : { ...one, subject: '', message: `${titleOf(message)}` };
  return { id, event, ...whole, project, host, count, ...(count > 1 && { items: items.map(view) }) };
}

function slackBody(message: AlertMessage): unknown {
  const plain = (text: string): string =>
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const icon = {
    opened: ':warning:',
    cleared: ':white_check_mark:',
    success: ':tada:',
    digest: ':bar_chart:',
  };
  const title = plain(titleOf(message));
  const text = `${icon[message.event]} *${title}*\n${plain(linesOf(message).join('\n'))}`;
  return {
    text: title,
    blocks: [{ type: 'section', text: { type: 'mrkdwn', text: cut(text, SLACK_CHARS) } }],
  };
}

function discordBody(message: AlertMessage): unknown {
  const text = `**${titleOf(message)}**\n${linesOf(message).join('\n')}`;
  return { content: cut(text, DISCORD_CHARS), allowed_mentions: { parse: [] } };
}

const ntfyLook: Readonly<Record<AlertEvent, readonly [priority: string, tags: string]>> = {
  opened: ['4', 'warning'],
  cleared: ['3', 'white_check_mark'],
  success: ['2', 'tada'],
  digest: ['2', 'bar_chart'],
};

function ntfy(message: AlertMessage): AlertRequest {
  const [priority, tags] = ntfyLook[message.event];
  return {
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      title: headerText(cut(titleOf(message), 200)),
      priority,
      tags,
    },
    body: cutBytes(linesOf(message).join('\n'), NTFY_BYTES),
  };
}

/** Headers are ASCII; ntfy takes anything else as RFC 2047 says. */
function headerText(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : `=?UTF-8?B?${Buffer.from(text).toString('base64')}?=`;
}

function cut(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  // Not through the middle of a character.
  return `${text.slice(0, maxChars - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

function cutBytes(text: string, maxBytes: number): string {
  let short = text;
  while (Buffer.byteLength(short) > maxBytes) short = cut(short, Math.floor(short.length * 0.9));
  return short;
}

/**
 * One POST to a webhook, and what came of it. Redirects are not followed: a webhook that moved would take the message to
 * a place that nobody configured. Nothing that is said of a failure holds the URL, which is a secret.
 */
import { systemCode } from '../../types/errors.ts';
import type { AlertRequest } from './formats.ts';

export type Delivery =
  | { readonly kind: 'sent' }
  /** Worth another try. `lasting`: not soon. */
  | {
      readonly kind: 'failed';
      readonly message: string;
      readonly lasting: boolean;
      readonly retryAfterMs?: number;
    }
  /** The receiver will never take this message. */
  | { readonly kind: 'refused'; readonly message: string };

export const TIMEOUT_MS = 10_000;
const MAX_RETRY_AFTER_MS = 3_600_000;
/** Answers that speak of the moment, or of the webhook, and not of the message. */
const momentary = new Set([408, 425, 429]);
const ofTheWebhook = new Set([401, 402, 403, 404, 405, 407, 410, 421, 451]);

/** @param signal Ends it at once, as failed. Never throws. */
export async function deliver(
  webhook: string,
  { headers, body }: AlertRequest,
  { signal, now, timeoutMs = TIMEOUT_MS }: { signal: AbortSignal; now: () => number; timeoutMs?: number },
): Promise<Delivery> {
  const url = URL.parse(webhook);
  if (url === null || !/^https?:$/.test(url.protocol))
    return { kind: 'failed', message: 'its webhook is not an http or https URL', lasting: true };
  const all: Record<string, string> = { 'user-agent': 'sluice', ...headers };
  if (url.username !== '' || url.password !== '') {
    const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    all.authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
    url.username = '';
    url.password = '';
  }
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: all,
      body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    // The answer's text is of no interest; unread it would keep the connection.
    await response.body?.cancel().catch(() => {});
    return judge(response.status, response.headers.get('retry-after'), now());
  } catch (error) {
    return { kind: 'failed', message: faultOf(error, timeoutMs), lasting: false };
  }
}

function judge(status: number, retryAfter: string | null, now: number): Delivery {
  if (status >= 200 && status < 300) return { kind: 'sent' };
  const message = `it answered with ${status}`;
  if (status >= 500 || momentary.has(status)) {
    const retryAfterMs = retryAfter === null ? undefined : waitOf(retryAfter, now);
    return { kind: 'failed', message, lasting: false, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }
  if (status >= 300 && status < 400)
    return { kind: 'failed', message: `${message}: redirects are not followed`, lasting: true };
  if (ofTheWebhook.has(status)) return { kind: 'failed', message, lasting: true };
  return { kind: 'refused', message };
}

/** Seconds, or a date. */
function waitOf(text: string, now: number): number | undefined {
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}

/** The messages of `fetch` may hold the URL; codes do not. */
function faultOf(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && error.name === 'TimeoutError')
    return `no answer within ${timeoutMs / 1_000} s`;
  if (error instanceof Error && error.name === 'AbortError') return 'it was ended';
  const code = systemCode((error as { cause?: unknown }).cause) ?? systemCode(error);
  return code === undefined ? 'the connection failed' : `the connection failed (${code})`;
}

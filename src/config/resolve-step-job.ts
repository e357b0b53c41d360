/** What steps that run as jobs have in common: proof, repetition, environment; and the request of an `http` step. */
import { checkUrl } from './check-url.ts';
import type { EnvEntry } from './config.ts';
import { parseDuration } from './duration.ts';
import { findReferences } from './reference.ts';
import { resolveEnv, resolveHeaders } from './resolve-agents.ts';
import { resolveExpect } from './resolve-expect.ts';
import { refuseReferences } from './resolving.ts';
import { checkDeep, inItem, type StepOf, type StepPlace } from './step-texts.ts';

export async function resolveJob(
  place: StepPlace,
  step: StepOf<'custom_command'> | StepOf<'agent'> | StepOf<'http'>,
) {
  const { context, at } = place;
  const { env: written } = step as StepOf<'agent'>;
  const env: readonly EnvEntry[] = await resolveEnv(inItem(place, 'env'), [...at, 'env'], written as never);
  const retry = resolveRetry(place, step.retry);
  return {
    expect: await resolveExpect(context, step.expect, [...at, 'expect']),
    ...(retry && { retry }),
    env,
  };
}

function resolveRetry({ context, at }: StepPlace, written: StepOf<'http'>['retry']) {
  if (written === undefined) return undefined;
  const pauses = typeof written === 'number' ? {} : written;
  const retry = {
    attempts: (typeof written === 'number' ? written : written.attempts) ?? 3,
    initialMs: parseDuration(pauses.initial ?? '1s') ?? 0,
    maxMs: parseDuration(pauses.max ?? '5m') ?? 0,
  };
  if (retry.maxMs < retry.initialMs)
    context.findings.error(
      'CONFLICT',
      [...at, 'retry', context.findings.has([...at, 'retry', 'max']) ? 'max' : 'initial'],
      `the longest pause (${pauses.max}) is shorter than the first (${pauses.initial})`,
      'Make `max` at least as long as `initial`.',
    );
  return retry;
}

export async function resolveHttpStep(place: StepPlace, step: StepOf<'http'>) {
  const { at } = place;
  const context = inItem(place);
  if (step.url !== undefined) await checkUrl(context, [...at, 'url'], step.url);
  const headers = await resolveHeaders(context, [...at, 'headers'], step.headers);
  const body: unknown = step.body ?? undefined;
  if (body !== undefined) checkBody(place, body);
  const method = step.method ?? (body === undefined ? 'GET' : 'POST');
  if (method === 'GET' && body !== undefined)
    context.findings.add(
      'error',
      'CONFLICT',
      { path: [...at, 'body'], key: true },
      '`body` has no effect: a GET request has none',
      'Write `method: POST`, or put it into the `url`.',
    );
  return {
    type: step.type as 'http',
    url: step.url ?? '',
    method,
    headers,
    ...(body !== undefined && { body }),
  };
}

function checkBody(place: StepPlace, body: unknown): void {
  const at = [...place.at, 'body'];
  checkDeep(place, at, body);
  const texts = (value: unknown): readonly string[] =>
    typeof value === 'string'
      ? [value]
      : typeof value === 'object' && value
        ? Object.values(value).flatMap(texts)
        : [];
  const found = texts(body).find((text) => findReferences(text).length > 0);
  if (found !== undefined) refuseReferences(place.context, at, found);
}

/** One HTTP request. What is filled into its URL behind the host is encoded: a value is a value there, too, and no path. */
import type { HttpStep } from '../../config/workflow.ts';
import type { RunContext, Unit, UnitEnd } from '../unit.ts';
import { runJob } from './job.ts';

export function runHttp(context: RunContext, unit: Unit<HttpStep>): Promise<UnitEnd> {
  const { url, method, headers, body } = unit.step;
  return runJob(context, unit, async (render) => {
    const sent: Record<string, string> = {};
    for (const [name, value] of Object.entries(headers))
      sent[name] = await render.withReferences(value, oneLine);
    const text =
      typeof body === 'string'
        ? await render.text(body)
        : body === undefined
          ? undefined
          : JSON.stringify(await render.deep(body));
    const hasType = Object.keys(sent).some((name) => name.toLowerCase() === 'content-type');
    if (body !== undefined && typeof body !== 'string' && !hasType) sent['content-type'] = 'application/json';
    return {
      work: {
        kind: 'http',
        url: await render.withReferences(url, encodeInUrl),
        method,
        headers: sent,
        ...(text !== undefined && { body: text }),
      },
      isShared: false,
    };
  });
}

/** @param before What stands before it in the URL: the host, and whatever gives it, is filled in as it is. */
export function encodeInUrl(value: string, before: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\/[^/?#]+[/?#]/i.test(before) ? encodeURIComponent(value) : value;
}

/** A header ends where its line does. */
function oneLine(value: string): string {
  return value.replaceAll(/[\r\n\0]+/g, ' ');
}

/** One HTTP request. What is filled into its URL behind the host is encoded: a value is a value there, too, and no path. */
import type { HttpStep } from '../../config/workflow.ts';
import { pathToBytes } from '../../types/path-bytes.ts';
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
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/?#]+[/?#]/i.test(before)) return value;
  return Array.from(pathToBytes(value), (byte) => encodedBytes[byte]).join('');
}

/** Names of files are bytes, which `encodeURIComponent` does not know. */
const encodedBytes = Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte);
  return /[\w.!~*'()-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
});

/** A header ends where its line does, and holds no control characters. */
function oneLine(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is replaced
  return value.replaceAll(/[\u0000-\u0008\u000a-\u001f\u007f]+/g, ' ');
}

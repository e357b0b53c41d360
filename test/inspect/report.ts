/** Writes a file, inspects it, gives the report: what every test here does. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { inspect } from '../../src/agents/inspect/inspect.ts';

export async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-inspect-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The report on `content` in a file of that name; `beside` are other files of the same root. */
export async function report(
  rel: string,
  content: string | Buffer,
  beside: Readonly<Record<string, string>> = {},
): Promise<string> {
  const root = await tempFolder();
  for (const [path, text] of Object.entries({ ...beside, [rel]: content })) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  const signal = new AbortController().signal;
  return inspect({ path: join(root, rel), rel, bytes: Buffer.byteLength(content as string) }, signal);
}

export function headline(text: string): string {
  return text.split('\n')[0] ?? '';
}

/**
 * From what a command printed to what the attempt gives: `result.md`, `events.jsonl`, the end of stderr. Output without
 * events is renamed, not copied. Can be done again after a crash in the middle: stdout is only given up when
 * everything made from it is in place.
 */
import { createReadStream, lstatSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentResult } from '../types/agent.ts';
import { fsPath } from '../types/path-bytes.ts';
import { EventSplitter, eventHint, parseEvent, UsageSum } from './event-lines.ts';
import type { Redactor } from './ports.ts';

const chunkBytes = 256 << 10;
const tailBytes = 4096;
/** Up to here a file is read at once: through the thread pool each of four calls costs ten times as much. */
const smallBytes = 64 << 10;

export type CommandOutput = Pick<
  AgentResult,
  'resultFile' | 'resultBytes' | 'events' | 'usage' | 'costUsd' | 'stderrTail'
>;

export const outputFiles = (workDir: string) => ({
  stdout: join(workDir, 'stdout'),
  stderr: join(workDir, 'stderr'),
  result: join(workDir, 'result.md'),
  events: join(workDir, 'events.jsonl'),
});

/** @param sizes Of stdout and stderr, where known: empty files need no look. */
export async function collectOutput(
  workDir: string,
  sizes: { readonly stdoutBytes: number; readonly stderrBytes: number },
  redactor: Redactor,
): Promise<CommandOutput> {
  const files = outputFiles(workDir);
  const stderrTail = sizes.stderrBytes === 0 ? '' : await readTail(files.stderr, redactor);
  const found = sizes.stdoutBytes === 0 ? nothing : await takeStdout(workDir, redactor);
  return { ...found, stderrTail };
}

const nothing = { resultBytes: 0, events: 0, costUsd: null } as const;

async function takeStdout(workDir: string, redactor: Redactor): Promise<Omit<CommandOutput, 'stderrTail'>> {
  const files = outputFiles(workDir);
  const bytes = sizeOf(files.stdout);
  if (bytes === undefined) return takeEarlier(workDir);
  // Redacted as a whole first: nothing that is made from it can hold a secret then.
  await redactor.redactFile(files.stdout);
  if (!(await mayHoldEvents(files.stdout, bytes))) {
    moveOver(files.stdout, files.result);
    return bytes === 0 ? nothing : { resultFile: files.result, resultBytes: bytes, events: 0, costUsd: null };
  }
  const split = await splitOutput(files);
  const resultBytes = sizeOf(`${files.result}.part`) ?? 0;
  moveOver(`${files.result}.part`, files.result);
  if (split.events > 0) moveOver(`${files.events}.part`, files.events);
  else await rm(`${files.events}.part`, { force: true });
  // Its content now stands in the two files, redacted.
  await rm(files.stdout, { force: true });
  return { ...split, resultBytes, ...(resultBytes > 0 ? { resultFile: files.result } : {}) };
}

/** By rename; a folder that the agent made in its place is removed. */
export function moveOver(from: string, to: string): void {
  try {
    renameSync(fsPath(from), fsPath(to));
  } catch (error) {
    if (!lstatSync(fsPath(to), { throwIfNoEntry: false })?.isDirectory()) throw error;
    rmSync(fsPath(to), { recursive: true });
    renameSync(fsPath(from), fsPath(to));
  }
}

/** An earlier daemon had already made the result of this attempt. */
async function takeEarlier(workDir: string): Promise<Omit<CommandOutput, 'stderrTail'>> {
  const files = outputFiles(workDir);
  const resultBytes = sizeOf(files.result) ?? 0;
  const sum = new UsageSum();
  let events = 0;
  const splitter = new EventSplitter({
    event: (event) => {
      events += 1;
      sum.add(event);
    },
    result: () => {},
  });
  if (sizeOf(files.events) !== undefined)
    for await (const chunk of createReadStream(files.events)) splitter.push(chunk as Buffer);
  splitter.end();
  const { usage, costUsd } = sum;
  const text = resultBytes > 0 ? { resultFile: files.result } : {};
  return { ...text, resultBytes, events, costUsd, ...(usage === undefined ? {} : { usage }) };
}

async function splitOutput(files: ReturnType<typeof outputFiles>) {
  const parts = [`${files.result}.part`, `${files.events}.part`] as const;
  // Made anew: what stands there is the rest of an interrupted try, or something that the command made.
  for (const part of parts) await rm(part, { force: true, recursive: true });
  await using source = await open(files.stdout);
  await using result = await open(parts[0], 'wx', 0o600);
  await using eventFile = await open(parts[1], 'wx', 0o600);
  const sum = new UsageSum();
  let events = 0;
  let texts: Buffer[] = [];
  let lines = '';
  const splitter = new EventSplitter({
    event: (event) => {
      events += 1;
      sum.add(event);
      lines += `${JSON.stringify(event)}\n`;
    },
    result: (bytes) => void texts.push(bytes),
  });
  const write = async (): Promise<void> => {
    const [first, ...more] = texts;
    if (first) await result.writeFile(more.length === 0 ? first : Buffer.concat(texts));
    if (lines !== '') await eventFile.writeFile(lines);
    texts = [];
    lines = '';
  };
  // One buffer for all of it: with streams, memory grew with the output wherever the collector came late.
  const buffer = Buffer.allocUnsafe(chunkBytes);
  for (let at = 0; ; ) {
    const { bytesRead } = await source.read(buffer, 0, chunkBytes, at);
    if (bytesRead === 0) break;
    at += bytesRead;
    splitter.push(buffer.subarray(0, bytesRead));
    await write();
  }
  splitter.end();
  await write();
  const { usage, costUsd } = sum;
  return { events, costUsd, ...(usage === undefined ? {} : { usage }) };
}

/** Whether any line could be an event: a search in the bytes, without taking them apart. */
async function mayHoldEvents(file: string, bytes: number): Promise<boolean> {
  if (bytes <= smallBytes) return hasEvent(readFileSync(file));
  if (bytes <= chunkBytes) return hasEvent(await readFile(file));
  await using handle = await open(file);
  const buffer = Buffer.allocUnsafe(chunkBytes);
  const overlap = eventHint.length - 1;
  for (let at = 0; ; at += chunkBytes - overlap) {
    const { bytesRead } = await handle.read(buffer, 0, chunkBytes, at);
    if (buffer.subarray(0, bytesRead).includes(eventHint)) return true;
    if (bytesRead < chunkBytes) return false;
  }
}

function hasEvent(content: Buffer): boolean {
  if (!content.includes(eventHint)) return false;
  for (let from = 0; from < content.length; ) {
    const end = content.indexOf(0x0a, from);
    const line = content.subarray(from, end < 0 ? content.length : end);
    if (line[0] === 0x7b && parseEvent(line) !== undefined) return true;
    from += line.length + 1;
  }
  return false;
}

/** The last lines, at most 4 KiB. */
export async function readTail(file: string, redactor: Redactor): Promise<string> {
  if (!sizeOf(file)) return '';
  await redactor.redactFile(file);
  await using handle = await open(file);
  const { size } = await handle.stat();
  const buffer = Buffer.allocUnsafe(Math.min(size, tailBytes));
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, size - buffer.length);
  const tail = buffer.subarray(0, bytesRead);
  const line = size > tailBytes ? tail.indexOf(0x0a) : -1;
  return tail.toString('utf8', line + 1);
}

/** Undefined when there is no plain file: what a command put there in its place (a link, a FIFO) is not looked at. */
function sizeOf(file: string): number | undefined {
  try {
    const found = lstatSync(file, { throwIfNoEntry: false });
    return found?.isFile() ? found.size : undefined;
  } catch {
    return undefined;
  }
}

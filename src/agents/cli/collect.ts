/**
 * From what an agent CLI left in its files to what the attempt gives: the raw stream, our events, the answer, the report.
 * Can be done again after a crash in the middle: the raw stream is kept, everything else is made from it.
 */
import { closeSync, openSync, readSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as pause } from 'node:timers/promises';
import type { AgentCall, AgentEvent } from '../../types/agent.ts';
import type { CliReport } from '../../types/agent-cli.ts';
import { fsPath } from '../../types/path-bytes.ts';
import { moveOver, outputFiles, readTail } from '../command-output.ts';
import { isPlain, openPlain, readAt, readPlain, withPlain } from '../plain-file.ts';
import type { Redactor } from '../ports.ts';
import type { SpawnExit } from '../spawner/spawner.ts';
import { answerAsJson } from './answer.ts';
import type { CliKind } from './kind.ts';
import { CliStream } from './stream.ts';

const chunkBytes = 256 << 10;
const blockChars = 64 << 10;
const stderrPartBytes = 32 << 10;
const maxLastMessageBytes = 4 << 20;

/** The raw stream, as the CLI wrote it (redacted). */
const streamFile = (workDir: string): string => join(workDir, 'stream.jsonl');

export interface Collected {
  readonly report: CliReport;
  readonly resultFile?: string;
  readonly resultBytes: number;
  readonly events: number;
  /** Something came from its model: an event that is more than a state of the CLI, or its trouble. */
  readonly isAnswered: boolean;
  readonly stderrTail: string;
}

export async function collectCli(o: {
  readonly kind: Pick<CliKind, 'read'>;
  readonly call: Pick<AgentCall, 'workDir' | 'schema'>;
  readonly exit: Pick<SpawnExit, 'outcome'>;
  readonly lastMessageFile: string | undefined;
  readonly redactor: Redactor;
}): Promise<Collected> {
  const { kind, call, exit, redactor } = o;
  const files = outputFiles(call.workDir);
  const raw = streamFile(call.workDir);
  if (isPlain(files.stdout)) {
    await redactor.redactFile(files.stdout);
    moveOver(files.stdout, raw);
  }
  const { stream, events, isAnswered } = await readStream(kind, raw, files.events);
  const stderrTail = await readTail(files.stderr, redactor);
  const lastMessage = await lastMessageOf(o.lastMessageFile, redactor);
  const report = stream.report({
    ...(exit.outcome.kind === 'exited' && { exitCode: exit.outcome.exitCode }),
    ...(exit.outcome.kind === 'signalled' && { signal: exit.outcome.signal }),
    stderr: readEnds(files.stderr),
    ...(lastMessage !== '' && { lastMessage }),
    now: Date.now(),
  });
  const answer = call.schema === undefined ? report.text : (answerAsJson(report) ?? report.text);
  await clear(files.result);
  const told = { report, events, isAnswered, stderrTail };
  if (answer.trim() === '') return { ...told, resultBytes: 0 };
  const text = answer.endsWith('\n') ? answer : `${answer}\n`;
  writeFileSync(fsPath(files.result), text, { mode: 0o600, flag: 'wx' });
  return { ...told, resultFile: files.result, resultBytes: Buffer.byteLength(text) };
}

/**
 * Chunk by chunk, each at once, with the others' turn in between: most streams are one chunk, and each step through the
 * thread pool would cost a wait.
 */
async function readStream(kind: Pick<CliKind, 'read'>, raw: string, eventsFile: string) {
  const part = `${eventsFile}.part`;
  for (const file of [part, eventsFile]) await clear(file);
  const out = openSync(fsPath(part), 'wx', 0o600);
  let events = 0;
  let isAnswered = false;
  // A million short lines are a million events: one write each would take as long as reading them.
  let block = '';
  const stream = new CliStream(kind, (event: AgentEvent) => {
    events += 1;
    isAnswered ||= event.type !== 'status' && event.type !== 'error';
    block += `${JSON.stringify(event)}\n`;
    if (block.length < blockChars) return;
    writeFileSync(out, block);
    block = '';
  });
  try {
    for await (const chunk of chunksOf(raw)) stream.push(chunk);
    stream.flush();
    writeFileSync(out, block);
  } finally {
    closeSync(out);
  }
  if (events > 0) renameSync(fsPath(part), fsPath(eventsFile));
  else rmSync(fsPath(part));
  return { stream, events, isAnswered };
}

/** What stands there is the rest of an interrupted try, or something that the agent made: a folder can be a large one. */
async function clear(file: string): Promise<void> {
  try {
    rmSync(fsPath(file), { force: true });
  } catch {
    await rm(fsPath(file), { force: true, recursive: true });
  }
}

/** Each is only valid until the next. */
async function* chunksOf(file: string): AsyncGenerator<Buffer> {
  const fd = openPlain(file);
  if (fd === undefined) return;
  const buffer = Buffer.allocUnsafe(chunkBytes);
  try {
    for (let bytes = readSync(fd, buffer); bytes > 0; bytes = readSync(fd, buffer)) {
      yield buffer.subarray(0, bytes);
      if (bytes === chunkBytes) await pause();
    }
  } finally {
    closeSync(fd);
  }
}

/** Beginning and end: what was refused at the start, and what it died of. */
function readEnds(file: string): string {
  return withPlain(file, (fd, size) => {
    if (size <= 2 * stderrPartBytes) return readAt(fd, 0, size);
    return `${readAt(fd, 0, stderrPartBytes)}\n…\n${readAt(fd, size - stderrPartBytes, stderrPartBytes)}`;
  });
}

async function lastMessageOf(file: string | undefined, redactor: Redactor): Promise<string> {
  if (file === undefined || !isPlain(file)) return '';
  await redactor.redactFile(file);
  return readPlain(file, maxLastMessageBytes);
}

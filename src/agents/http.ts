/** Kind `http`: the file goes to an endpoint by multipart POST; a 2xx answer is the result. */
import { constants } from 'node:fs';
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentConfig } from '../config/config.ts';
import { plainReport } from '../sandbox/report.ts';
import type { AgentCall, AgentResult, AgentRunner, AttemptOutcome } from '../types/agent.ts';
import { AppError, messageOf, systemCode } from '../types/errors.ts';
import { fsPath, pathToBytes } from '../types/path-bytes.ts';
import { outputFiles, readTail } from './command-output.ts';
import { UsageSum } from './event-lines.ts';
import { type Answer, type Exchange, exchange } from './http-exchange.ts';
import { multipart, textBody } from './multipart.ts';
import { placeholderValues, renderPrompt } from './placeholders.ts';
import type { Redactor, SecretResolver } from './ports.ts';
import { endedBy, endReasonOf } from './spawner/spawner.ts';

export interface HttpRunnerOptions {
  readonly secrets: SecretResolver;
  readonly redactor: Redactor;
}

type HttpAgent = Extract<AgentConfig, { kind: 'http' }>;
type Found = Pick<AgentResult, 'resultFile' | 'resultBytes' | 'usage'> &
  Partial<Pick<AgentResult, 'costUsd'>>;

/** JSON up to this size is shown indented in result.md, and asked for `usage` and `cost_usd`. */
const maxPrettyBytes = 1 << 20;
const messageChars = 500;

export function createHttpRunner({ secrets, redactor }: HttpRunnerOptions): Pick<AgentRunner, 'run'> {
  return {
    run: (call, signal) => run(call, asHttp(call.agent), signal, secrets, redactor),
  };
}

/** @throws {AppError} `SECRET_UNRESOLVED`. */
async function run(
  call: AgentCall,
  agent: HttpAgent,
  signal: AbortSignal,
  secrets: SecretResolver,
  redactor: Redactor,
): Promise<AgentResult> {
  const startedAt = Date.now();
  const headers: Record<string, string> = {};
  // As bytes: UTF-8, and names of files as they are.
  for (const [name, value] of Object.entries(agent.headers))
    headers[name.toLowerCase()] = pathToBytes(await secrets.resolve(value)).toString('latin1');
  const url = URL.parse(await secrets.resolve(agent.url));
  const end = (outcome: AttemptOutcome, found: Found = { resultBytes: 0 }, stderrTail = ''): AgentResult => {
    return {
      outcome: redactOutcome(outcome, redactor),
      startedAt,
      endedAt: Date.now(),
      costUsd: null,
      ...found,
      events: 0,
      stderrTail,
      sandbox: plainReport(agent.sandbox),
      limits: {},
    };
  };
  if (url === null || !/^https?:$/.test(url.protocol))
    return end({
      kind: 'unreachable',
      code: 'ERR_INVALID_URL',
      message: 'its URL is not an http or https URL',
    });
  if (agent.request) return end(...(await request(call, agent, { url, headers }, signal, redactor)));
  let file: Awaited<ReturnType<typeof open>>;
  try {
    // A path that became a FIFO meanwhile must not block.
    file = await open(fsPath(call.input.file), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return end({
      kind: 'unreachable',
      code: systemCode(error) ?? 'EIO',
      message: `the input cannot be read: ${messageOf(error)}`,
    });
  }
  try {
    const values = placeholderValues(call.input);
    const { size: bytes } = await file.stat();
    const body = multipart(file, bytes, values['file.name'], metadataOf(call));
    const answer = await ask(call, agent, { url, headers, body }, signal);
    return end(...(await conclude(call, answer, redactor, () => takeBody(call, answer, redactor))));
  } finally {
    await file.close();
  }
}

type Ending = [outcome: AttemptOutcome, found: Found | undefined, stderrTail?: string];

/** A step's own request: what comes back is its result as it is, for `fromJSON()` to read. */
async function request(
  call: AgentCall,
  agent: HttpAgent,
  to: Pick<Exchange, 'url' | 'headers'>,
  signal: AbortSignal,
  redactor: Redactor,
): Promise<Ending> {
  const { method = 'POST', body: text } = agent.request ?? {};
  const isTyped = Object.hasOwn(to.headers, 'content-type');
  const type = isTyped ? undefined : isJsonText(text) ? 'application/json' : 'text/plain; charset=utf-8';
  const body = text === undefined ? {} : { body: textBody(text, type) };
  const answer = await ask(call, agent, { ...to, method, ...body }, signal);
  return conclude(call, answer, redactor, () => takeBody(call, answer, redactor, 'as it is'));
}

function ask(
  call: AgentCall,
  { timeoutMs, idleTimeoutMs, maxOutputBytes: maxBytes }: HttpAgent,
  what: Pick<Exchange, 'url' | 'headers' | 'method' | 'body'>,
  signal: AbortSignal,
): Promise<Answer> {
  const idle = idleTimeoutMs === undefined ? {} : { idleTimeoutMs };
  const bodyFile = outputFiles(call.workDir).stdout;
  return exchange({ ...what, bodyFile, timeoutMs, ...idle, maxBytes }, signal, () =>
    endedBy(endReasonOf(signal)),
  );
}

async function conclude(
  call: AgentCall,
  { outcome, bodyBytes }: Answer,
  redactor: Redactor,
  take: () => Promise<Found>,
): Promise<Ending> {
  if (outcome.kind !== 'responded') return [outcome, undefined];
  const { status, message } = outcome;
  if (status >= 200 && status < 300) return [outcome, await take()];
  const { stdout } = outputFiles(call.workDir);
  const tail = message !== undefined || bodyBytes === 0 ? '' : await readTail(stdout, redactor);
  const said = message ?? (oneLine(tail).slice(0, messageChars) || undefined);
  return [{ ...outcome, ...(said === undefined ? {} : { message: said }) }, undefined, tail];
}

function isJsonText(text: string | undefined): boolean {
  if (text === undefined || !/^\s*[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function metadataOf({
  jobId,
  sessionId,
  input,
  inputs,
  rule,
  prompt,
  depth,
}: AgentCall): Record<string, unknown> {
  return {
    job_id: jobId,
    session_id: sessionId,
    root: input.root,
    path: input.path,
    sha256: input.sha256,
    bytes: input.bytes,
    rule,
    ...(prompt === undefined ? {} : { prompt: renderPrompt(prompt, input, inputs) }),
    depth,
  };
}

/**
 * `result.md` holds the answer as people read it: text as it is, JSON indented in a code block. The raw body of anything
 * but text goes to the outputs, where programs look for it. An object may say, as an event's payload does, what it took.
 */
async function takeBody(
  call: AgentCall,
  { bodyBytes, contentType }: Answer,
  redactor: Redactor,
  form: 'for people' | 'as it is' = 'for people',
): Promise<Found> {
  const { stdout, result } = outputFiles(call.workDir);
  if (bodyBytes === 0) {
    await rm(stdout, { force: true });
    return { resultBytes: 0 };
  }
  await redactor.redactFile(stdout);
  const type = (contentType.split(';')[0] ?? '').trim().toLowerCase();
  const isJson = type === 'application/json' || type.endsWith('+json');
  if (isJson ? form === 'as it is' : type === '' || type.startsWith('text/')) {
    await rename(stdout, result);
    return { resultFile: result, resultBytes: bodyBytes };
  }
  const raw = join(call.outputDir, isJson ? 'response.json' : 'response.bin');
  await mkdir(call.outputDir, { recursive: true });
  const said = isJson && bodyBytes <= maxPrettyBytes ? parseJson(await readFile(stdout, 'utf8')) : undefined;
  await rename(stdout, raw);
  const what = isJson ? 'JSON' : oneLine(type).slice(0, 100);
  const text =
    said === undefined
      ? `The endpoint answered with ${bodyBytes} bytes of ${what}: \`outputs/${isJson ? 'response.json' : 'response.bin'}\`\n`
      : `\`\`\`json\n${JSON.stringify(said.value, null, 2)}\n\`\`\`\n`;
  await writeFile(result, text, { mode: 0o600 });
  return { resultFile: result, resultBytes: Buffer.byteLength(text), ...usedBy(said?.value) };
}

function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function usedBy(value: unknown): Pick<AgentResult, 'usage' | 'costUsd'> {
  const sum = new UsageSum();
  if (typeof value === 'object' && value !== null)
    sum.add({ type: 'status', payload: value as Readonly<Record<string, unknown>> });
  const { usage, costUsd } = sum;
  return { costUsd, ...(usage === undefined ? {} : { usage }) };
}

function redactOutcome(outcome: AttemptOutcome, redactor: Redactor): AttemptOutcome {
  if (!('message' in outcome) || outcome.message === undefined) return outcome;
  return { ...outcome, message: redactor.redact(outcome.message) };
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

function asHttp(agent: AgentConfig): HttpAgent {
  if (agent.kind === 'http') return agent;
  throw new AppError(
    'INTERNAL',
    `Agent "${agent.name}" of kind ${agent.kind} was handed to the HTTP runner`,
    {
      fix: 'This is a fault in Sluice; please report it.',
    },
  );
}

/**
 * Talks to the daemon over its unix socket. Errors come back as what they were: code, message, fix.
 *
 * The request is written by hand over `node:net`: loading `node:http` alone takes twice the time of an empty program, and
 * `sluice status` has to be quick. HTTP/1.0 makes it simple: one answer, not chunked, that ends with the connection.
 */
import { lstatSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { ErrorCode } from '../types/error-codes.ts';
import { AppError, messageOf, systemCode } from '../types/errors.ts';

/** A daemon that was stopped (SIGSTOP) accepts connections for ever. */
const CONNECT_MS = 5_000;
/** Reading answers at once; what changes something may take as long as it needs. */
const READ_MS = 30_000;

export interface Answer {
  readonly status: number;
  /** Parsed; undefined: nothing. */
  readonly value: unknown;
}

export class Client {
  readonly #socket: string;
  readonly #token: string | undefined;

  /** @param token For the socket of attempts; the control socket wants none. */
  constructor(socket: string, token?: string) {
    this.#socket = socket;
    this.#token = token;
  }

  /** Whether somebody listens: a socket file may be left by a daemon that was killed. */
  async isUp(): Promise<boolean> {
    if (!hasSocket(this.#socket)) return false;
    return new Promise((resolve) => {
      const probe = connect(this.#socket);
      const end = (isUp: boolean): void => {
        probe.destroy();
        resolve(isUp);
      };
      probe.setTimeout(CONNECT_MS, () => end(false));
      probe.once('connect', () => end(true));
      probe.once('error', () => end(false));
    });
  }

  get<T>(path: string, query: Readonly<Record<string, string | number | undefined>> = {}): Promise<T> {
    const given = Object.entries(query).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)] as [string, string]],
    );
    const search = new URLSearchParams(given).toString();
    return this.#call('GET', search === '' ? path : `${path}?${search}`, undefined, READ_MS);
  }

  post<T>(path: string, body?: unknown): Promise<T> {
    return this.#call('POST', path, body === undefined ? undefined : JSON.stringify(body), 0);
  }

  async #call<T>(method: string, path: string, body: string | undefined, timeoutMs: number): Promise<T> {
    const { status, value } = await this.#exchange(method, path, body, timeoutMs);
    if (status >= 400) throw toError(value);
    return value as T;
  }

  /** The answer as it is, also where it says that something went wrong. Waits as long as it takes. */
  ask(method: string, path: string, body?: unknown): Promise<Answer> {
    return this.#exchange(method, path, body === undefined ? undefined : JSON.stringify(body), 0);
  }

  #exchange(method: string, path: string, body: string | undefined, timeoutMs: number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#socket);
      const chunks: Buffer[] = [];
      const fail = (message: string, cause?: Error): void => {
        socket.destroy();
        const fix = 'See `sluice logs`; start it with `sluice start`.';
        reject(new AppError('NOT_RUNNING', message, { cause, fix }));
      };
      socket.setTimeout(timeoutMs, () => fail('The daemon does not answer'));
      socket.on('error', (cause) => fail('The daemon went away while it was asked', cause));
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      socket.on('end', () => {
        const answer = parseAnswer(Buffer.concat(chunks));
        if (!answer) fail('The daemon went away while it answered');
        else resolve(answer);
      });
      socket.write(requestText(method, path, body, this.#token));
    });
  }
}

/** The body goes by its own length: the connection stays open for the answer. */
function requestText(
  method: string,
  path: string,
  body: string | undefined,
  token: string | undefined,
): string {
  const head = [`${method} ${path} HTTP/1.0`, 'Host: localhost'];
  if (token !== undefined) head.push(`Authorization: Bearer ${token}`);
  if (body !== undefined)
    head.push('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`);
  return `${head.join('\r\n')}\r\n\r\n${body ?? ''}`;
}

/** @returns undefined when it is not whole. */
function parseAnswer(bytes: Buffer): Answer | undefined {
  const split = bytes.indexOf('\r\n\r\n');
  if (split === -1) return undefined;
  const head = bytes.toString('latin1', 0, split);
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1]);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  const body = bytes.subarray(split + 4);
  if (Number.isNaN(status) || (length !== undefined && body.length < Number(length))) return undefined;
  return { status, value: body.length === 0 ? undefined : JSON.parse(body.toString('utf8')) };
}

/** @param value What an answer from status 400 on holds. */
export function toError(value: unknown): AppError {
  const { code, detail, fix } = (value ?? {}) as { code?: ErrorCode; detail?: string; fix?: string };
  return new AppError(code ?? 'INTERNAL', detail ?? 'The daemon answered with an error', {
    fix: fix ?? 'See `sluice logs`.',
  });
}

/** @throws {AppError} `STATE_UNWRITABLE` where its folder is closed to this user: a service runs as a user of its own. */
function hasSocket(socket: string): boolean {
  try {
    return lstatSync(socket, { throwIfNoEntry: false }) !== undefined;
  } catch (cause) {
    // Below a file there is none; whoever makes the folder says what is wrong.
    if (systemCode(cause) === 'ENOTDIR') return false;
    const folder = dirname(socket);
    const owner = lstatSync(folder, { throwIfNoEntry: false })?.uid;
    throw new AppError('STATE_UNWRITABLE', `Cannot look into "${folder}": ${messageOf(cause)}`, {
      cause,
      fix: `Call it as the user that Sluice runs as: \`sudo -u '#${owner}' sluice …\`.`,
    });
  }
}

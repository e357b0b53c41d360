/** Talks to the daemon over its unix socket. Errors come back as what they were: code, message, fix. */
import { request } from 'node:http';
import { connect } from 'node:net';
import type { ErrorCode } from '../types/error-codes.ts';
import { AppError } from '../types/errors.ts';

export class Client {
  readonly #socket: string;

  constructor(socket: string) {
    this.#socket = socket;
  }

  /** Whether somebody answers: a socket file may be left by a daemon that was killed. */
  isUp(): Promise<boolean> {
    return new Promise((resolve) => {
      const probe = connect(this.#socket);
      probe.once('connect', () => {
        probe.destroy();
        resolve(true);
      });
      probe.once('error', () => resolve(false));
    });
  }

  get<T>(path: string, query: Readonly<Record<string, string | number | undefined>> = {}): Promise<T> {
    const given = Object.entries(query).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)] as [string, string]],
    );
    const search = new URLSearchParams(given).toString();
    return this.#call('GET', search === '' ? path : `${path}?${search}`);
  }

  post<T>(path: string, body?: unknown): Promise<T> {
    return this.#call('POST', path, body === undefined ? undefined : JSON.stringify(body));
  }

  #call<T>(method: string, path: string, body?: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const headers =
        body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const call = request({ socketPath: this.#socket, method, path, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const value: unknown = text === '' ? undefined : JSON.parse(text);
          if ((response.statusCode ?? 500) < 400) resolve(value as T);
          else reject(toError(value));
        });
      });
      call.on('error', (cause) =>
        reject(
          new AppError('NOT_RUNNING', 'The daemon went away while it was asked', {
            cause,
            fix: 'See `sluice logs`; start it with `sluice start`.',
          }),
        ),
      );
      call.end(body);
    });
  }
}

function toError(value: unknown): AppError {
  const { code, detail, fix } = (value ?? {}) as { code?: ErrorCode; detail?: string; fix?: string };
  return new AppError(code ?? 'INTERNAL', detail ?? 'The daemon answered with an error', {
    fix: fix ?? 'See `sluice logs`.',
  });
}

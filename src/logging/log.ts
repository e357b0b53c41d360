/**
 * The log: JSON lines in `.sluice/logs/` (what `sluice logs` reads) and on stderr, there readable for people when it is
 * a terminal. Every line passes the redaction funnel. Writing is synchronous: a line that was logged before a crash is
 * on disk.
 */
import { dirname, join } from 'node:path';
import { type Level, type Logger, multistream, pino } from 'pino';
import type { LogLevel } from '../config/config.ts';
import { AppError, messageOf, systemCode } from '../types/errors.ts';
import { RotatingFile } from './rotating-file.ts';

export type Log = Logger;

export interface LogOptions {
  readonly stateDir: string;
  readonly level: LogLevel;
  readonly redact: (text: string) => string;
  /** Bound of the log files together; default 60 MiB. */
  readonly maxBytes?: number;
  /** Where people or the service manager read along: `pretty` on a terminal, `json` under a service, `none` for one-shot commands. */
  readonly stderr: 'pretty' | 'json' | 'none';
}

export interface OpenLog extends Disposable {
  readonly log: Log;
  setLevel(level: LogLevel): void;
  setMaxBytes(bytes: number): void;
  readonly level: LogLevel;
}

const toPino: Readonly<Record<LogLevel, Level>> = {
  debug: 'debug',
  info: 'info',
  warning: 'warn',
  error: 'error',
  critical: 'fatal',
};

/** @throws {AppError} `STATE_UNWRITABLE` or `DISK_FULL` where nothing can be logged from the start. */
export async function openLog({ stateDir, level, redact, maxBytes, stderr }: LogOptions): Promise<OpenLog> {
  const dir = join(stateDir, 'logs');
  const file = openFile(dir, maxBytes);
  const streams = [{ level: 'trace' as const, stream: file }, ...(await stderrStreams(stderr))];
  const log = pino(
    {
      level: toPino[level],
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: fromPino(label) }) },
      hooks: { streamWrite: redact },
    },
    multistream(streams, { dedupe: false }),
  );
  let current = level;
  return {
    log,
    setLevel(next) {
      current = next;
      log.level = toPino[next];
    },
    setMaxBytes: (bytes) => file.setMaxBytes(bytes),
    get level() {
      return current;
    },
    [Symbol.dispose]() {
      file.close();
    },
  };
}

function openFile(dir: string, maxTotalBytes: number | undefined): RotatingFile {
  try {
    return new RotatingFile({ dir, name: 'sluice', ...(maxTotalBytes !== undefined && { maxTotalBytes }) });
  } catch (cause) {
    const isFull = systemCode(cause) === 'ENOSPC' || systemCode(cause) === 'EDQUOT';
    throw new AppError(
      isFull ? 'DISK_FULL' : 'STATE_UNWRITABLE',
      `Cannot write a log to "${dir}": ${messageOf(cause)}`,
      {
        cause,
        fix: isFull
          ? 'Make space on the disk that holds `.sluice/`, then start again.'
          : `Make ${dirname(dir)} a folder that this user can write (\`sluice doctor\` says what stands in the way), or run as the user that owns it.`,
      },
    );
  }
}

async function stderrStreams(
  kind: LogOptions['stderr'],
): Promise<{ level: 'trace'; stream: { write(line: string): void } }[]> {
  if (kind === 'none') return [];
  if (kind === 'json')
    return [{ level: 'trace', stream: { write: (line) => void process.stderr.write(line) } }];
  const { prettyFactory } = await import('pino-pretty');
  const pretty = prettyFactory({
    colorize: process.env.NO_COLOR === undefined,
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'pid,hostname,job,root,path,rule,agent,duration_ms,code,fix',
    customLevels: 'warning:40,critical:60',
    useOnlyCustomProps: false,
    messageFormat: '{msg}',
  });
  return [{ level: 'trace', stream: { write: (line) => void process.stderr.write(pretty(line) ?? line) } }];
}

function fromPino(label: string): LogLevel {
  if (label === 'warn') return 'warning';
  if (label === 'fatal') return 'critical';
  return label === 'trace' ? 'debug' : (label as LogLevel);
}

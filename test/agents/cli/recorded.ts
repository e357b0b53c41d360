/** Streams that real agent CLIs have written (`test/fixtures/agents/<kind>`), and what a kind's reader makes of one. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CliEnd, CliKind, CliLine } from '../../../src/agents/cli/kind.ts';
import { CliStream } from '../../../src/agents/cli/stream.ts';
import type { AgentEvent } from '../../../src/types/agent.ts';
import type { CliReport } from '../../../src/types/agent-cli.ts';

export interface Recorded {
  readonly name: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly lastMessage?: string;
  readonly exitCode?: number;
  readonly signal?: string;
}

interface Ended {
  readonly exitCode?: number | null;
  readonly signal?: string | null;
}

const folder = (kind: string): string => join(import.meta.dirname, '../../fixtures/agents', kind);

export function recordings(kind: string): readonly Recorded[] {
  const dir = folder(kind);
  const { cases: listed } = JSON.parse(readFileSync(join(dir, 'cases.json'), 'utf8')) as {
    cases: Readonly<Record<string, Ended>> | readonly (Ended & { readonly case: string })[];
  };
  const cases = Array.isArray(listed) ? Object.fromEntries(listed.map((one) => [one.case, one])) : listed;
  const text = (name: string): string | undefined =>
    existsSync(join(dir, name)) ? readFileSync(join(dir, name), 'utf8') : undefined;
  return Object.entries(cases as Readonly<Record<string, Ended>>).map(([name, { exitCode, signal }]) => {
    const lastMessage = text(`${name}.usage.json`) ?? text(`${name}.last.txt`);
    return {
      name,
      stdout: text(`${name}.jsonl`) ?? '',
      stderr: text(`${name}.stderr.txt`) ?? '',
      ...(lastMessage !== undefined && { lastMessage }),
      ...(typeof exitCode === 'number' && { exitCode }),
      ...(typeof signal === 'string' && { signal }),
    };
  });
}

export function recording(kind: string, name: string): Recorded {
  const found = recordings(kind).find((one) => one.name === name);
  if (!found) throw new Error(`There is no recording "${name}" of ${kind}`);
  return found;
}

export function linesOf(stdout: string): readonly CliLine[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      try {
        const value: unknown = JSON.parse(line);
        if (typeof value === 'object' && value !== null && !Array.isArray(value))
          return { kind: 'json', value: value as Record<string, unknown> };
      } catch {
        // A torn line.
      }
      return { kind: 'text', text: line };
    });
}

export const now = Date.parse('2026-11-20T17:00:00Z');

export function readRecorded(
  kind: Pick<CliKind, 'read'>,
  recorded: Recorded,
): { readonly events: readonly AgentEvent[]; readonly report: CliReport; readonly hasEnded: boolean } {
  const reader = kind.read();
  const events = linesOf(recorded.stdout).flatMap((line) => [...reader.line(line)]);
  const { hasEnded } = reader;
  const { stderr, exitCode, signal, lastMessage } = recorded;
  const report = reader.end({
    stderr,
    now,
    ...(exitCode !== undefined && { exitCode }),
    ...(signal !== undefined && { signal }),
    ...(lastMessage !== undefined && { lastMessage }),
  });
  return { events, report, hasEnded };
}

export interface Streamed {
  readonly events: readonly AgentEvent[];
  readonly report: CliReport;
}

export const noon = Date.UTC(2026, 10, 20, 12);

/** Reads streams of a kind as the runner does, with what the model says of its work. */
export function streamsOf(kind: Pick<CliKind, 'name' | 'read'>) {
  const readStream = (stdout: string, end: Omit<Partial<CliEnd>, 'now'> = { exitCode: 0 }): Streamed => {
    const events: AgentEvent[] = [];
    const stream = new CliStream(kind, (event) => events.push(event));
    stream.push(Buffer.from(stdout));
    stream.flush();
    return { events, report: stream.report({ stderr: '', now: noon, ...end }) };
  };
  return {
    readStream,
    readCase: (name: string): Streamed => {
      const { stdout, stderr, exitCode, signal, lastMessage } = recording(kind.name, name);
      return readStream(stdout, {
        stderr,
        ...(exitCode !== undefined && { exitCode }),
        ...(signal !== undefined && { signal }),
        ...(lastMessage !== undefined && { lastMessage }),
      });
    },
  };
}

export function jsonLines(...values: readonly object[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('');
}

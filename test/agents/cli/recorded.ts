/** Streams that real agent CLIs have written (`test/fixtures/agents/<kind>`), and what a kind's reader makes of one. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CliKind, CliLine } from '../../../src/agents/cli/kind.ts';
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

/** Events as people read them, one a line: for golden files. */
export function shown(events: readonly AgentEvent[]): string {
  return events
    .map(({ type, payload: { text, file, tool, args, progress, permission, final, usage, cost_usd } }) => {
      const marks = [
        ...(permission ? ['denied'] : []),
        ...(final ? ['final'] : []),
        ...(progress === undefined ? [] : [`${progress} %`]),
        ...(tool === undefined ? [] : [`${tool}(${JSON.stringify(args)})`]),
        ...(file === undefined ? [] : [`file ${file}`]),
        ...(usage === undefined ? [] : [`tokens ${Object.values(usage as object).join('/')}`]),
        ...(cost_usd === undefined ? [] : [`$${cost_usd}`]),
      ];
      return [`${type.padEnd(9)} ${text ?? ''}`, ...marks.map((mark) => `            ${mark}`)].join('\n');
    })
    .join('\n');
}

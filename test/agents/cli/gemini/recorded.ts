/** Streams of the real CLI, recorded against a stub of its service (`test/fixtures/agents/gemini/`). */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GeminiReader } from '../../../../src/agents/cli/gemini/reader.ts';
import type { CliLine } from '../../../../src/agents/cli/kind.ts';
import type { AgentEvent } from '../../../../src/types/agent.ts';
import type { CliReport } from '../../../../src/types/agent-cli.ts';

const folder = join(import.meta.dirname, '../../../fixtures/agents/gemini');
const { cases } = JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8')) as {
  cases: Record<string, { exitCode: number | null; signal: string | null }>;
};

export const now = Date.parse('2026-11-20T17:00:00Z');

export function linesOf(name: string): readonly CliLine[] {
  return textOf(`${name}.jsonl`)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({ kind: 'json', value: JSON.parse(line) }));
}

/** Reads a case as the runner would. */
export function replay(name: string): { events: AgentEvent[]; report: CliReport; reader: GeminiReader } {
  const { exitCode } = cases[name] ?? {};
  const reader = new GeminiReader();
  const events = linesOf(name).flatMap((line) => reader.line(line));
  const report = reader.end({
    ...(typeof exitCode === 'number' && { exitCode }),
    stderr: textOf(`${name}.stderr.txt`),
    now,
  });
  return { events, report, reader };
}

function textOf(file: string): string {
  const path = join(folder, file);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** Streams of the real Claude Code, read as the runner reads them. */
import { existsSync, readFileSync } from 'node:fs';
import { claudeKind } from '../../../../src/agents/cli/claude/claude.ts';
import type { CliLine } from '../../../../src/agents/cli/kind.ts';
import { LineSplitter } from '../../../../src/agents/cli/lines.ts';
import { CliStream } from '../../../../src/agents/cli/stream.ts';
import type { AgentEvent } from '../../../../src/types/agent.ts';
import type { CliReport } from '../../../../src/types/agent-cli.ts';

const folder = new URL('../../../fixtures/agents/claude/', import.meta.url);

interface Case {
  readonly exitCode?: number;
  readonly signal?: string;
}

export const cases = Object.entries(
  (JSON.parse(text('cases.json')) as { readonly cases: Readonly<Record<string, Case>> }).cases,
);

export interface Read {
  readonly events: readonly AgentEvent[];
  readonly report: CliReport;
}

export const noon = Date.UTC(2026, 10, 20, 12);

export function readCase(name: string): Read {
  const found = cases.find(([one]) => one === name);
  if (!found) throw new Error(`no case ${name}`);
  return readStream(text(`${name}.jsonl`), { ...found[1], stderr: text(`${name}.stderr.txt`) });
}

export function readStream(
  stdout: string,
  end: { exitCode?: number; signal?: string; stderr?: string; lastMessage?: string } = { exitCode: 0 },
): Read {
  const events: AgentEvent[] = [];
  const stream = new CliStream(claudeKind, (event) => events.push(event));
  stream.push(Buffer.from(stdout));
  stream.flush();
  return { events, report: stream.report({ stderr: '', now: noon, ...end }) };
}

/** Its lines, as a reader gets them. */
export function streamOf(name: string): readonly CliLine[] {
  const all: CliLine[] = [];
  const splitter = new LineSplitter((line) => all.push(line));
  splitter.push(Buffer.from(text(`${name}.jsonl`)));
  splitter.end();
  return all;
}

export function lines(...values: readonly object[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('');
}

function text(name: string): string {
  const file = new URL(name, folder);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

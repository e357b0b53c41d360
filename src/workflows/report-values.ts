/**
 * What a report's template can read: the contexts of expressions, and of each step what a table would show. Only what the
 * template names is fetched, and texts of results only until they are as much as a report may reasonably hold.
 */
import type { Value } from '../expressions/scope.ts';
import type { StepRecord } from '../types/run.ts';
import { readResult } from './results.ts';
import { runFiles } from './run-files.ts';
import { LISTED_AT_MOST, stepValue } from './scope.ts';
import { namesRead, parseTemplate } from './template-language.ts';
import { ownValues, type RunContext, type Unit } from './unit.ts';

/** Texts of results in all. */
const RESULT_CHARS = 16 << 20;

export async function reportValues(
  context: RunContext,
  unit: Unit,
  template: string,
): Promise<Readonly<Record<string, unknown>>> {
  const parsed = parseTemplate(template);
  // Its problem is told when it is rendered.
  if ('problem' in parsed) return {};
  const names = namesRead(parsed);
  const values: Record<string, unknown> = { ...(await context.scope.all(names, ownValues(unit))) };
  if (names.includes('run')) values.run = await runValue(context);
  if (names.includes('steps')) values.steps = await new StepTable(context).rows();
  return values;
}

async function runValue({ scope, deps, run }: RunContext): Promise<unknown> {
  const { costUsd, usage, jobs, attempts } = await deps.ledger.runs.spent(run.id);
  return { ...scope.runValue(), cost_usd: costUsd, usage: usage ?? null, jobs, attempts };
}

class StepTable {
  readonly #context: RunContext;
  #left = RESULT_CHARS;

  constructor(context: RunContext) {
    this.#context = context;
  }

  async rows(): Promise<Readonly<Record<string, unknown>>> {
    const { deps, run, definition } = this.#context;
    const rows: Record<string, unknown> = {};
    const types = new Map([...definition.steps, ...definition.onFailure].map((step) => [step.name, step]));
    for (const row of await deps.ledger.runs.steps(run.id)) {
      const step = types.get(row.name);
      rows[row.name] = {
        ...this.#shown(row),
        type: step?.type ?? null,
        ...(step?.forEach && { items: await this.#items(row.name) }),
        ...(step?.type === 'file_processing' && !step.forEach && { files: await this.#files(row.name) }),
      };
    }
    return rows;
  }

  #shown(row: StepRecord): Readonly<Record<string, Value>> {
    const { name, reason, message, startedAt, endedAt, subRunId } = row;
    const value = stepValue(row);
    return {
      ...value,
      name,
      result: this.#bounded(row.result),
      reason: reason ?? null,
      message: message ?? null,
      started_at: startedAt === undefined ? null : new Date(startedAt).toISOString(),
      duration_ms: startedAt === undefined || endedAt === undefined ? null : endedAt - startedAt,
      ...(subRunId !== undefined && { run: subRunId }),
    };
  }

  async #items(name: string): Promise<readonly unknown[]> {
    const { deps, run } = this.#context;
    const items = await deps.ledger.runs.items(run.id, name, 0, LISTED_AT_MOST);
    return items.map((row) => ({ ...this.#shown(row), index: row.index ?? 0, item: row.item ?? null }));
  }

  async #files(name: string): Promise<readonly unknown[]> {
    const { deps, run } = this.#context;
    const files: unknown[] = [];
    for await (const { job, file } of runFiles(deps, run.id, [name])) {
      if (files.length >= LISTED_AT_MOST) break;
      const { state, reason, message, agent, costUsd, startedAt, endedAt } = job;
      const { text } = endedAt === undefined ? {} : await readResult(deps.jobs, job);
      files.push({
        ...(file as object),
        ...{ state, agent, cost_usd: costUsd, reason: reason ?? null, message: message ?? null },
        duration_ms: startedAt === undefined || endedAt === undefined ? null : endedAt - startedAt,
        result: this.#bounded(text),
      });
    }
    return files;
  }

  /** Null: there is none, or too much already. */
  #bounded(text: string | undefined): string | null {
    if (text === undefined || text.length > this.#left) return null;
    this.#left -= text.length;
    return text;
  }
}

/**
 * `for_each`: a window of `max_parallel` items moves over the list. Items that have ended stand in the ledger only; in
 * memory there are the list itself, one bit for each of its items, and the items that are worked on.
 */
import type { StepConfig } from '../config/workflow.ts';
import { contextsOf, ExpressionError, evaluate, parseExpression } from '../expressions/expressions.ts';
import type { Value } from '../expressions/scope.ts';
import { finalStepStates, type StepRecord } from '../types/run.ts';
import { Renderer } from './rendering.ts';
import { endOfAborted, failed, type RunContext, type Unit, type UnitEnd } from './unit.ts';

type ForEachUnit = Unit & {
  readonly step: StepConfig & { readonly forEach: NonNullable<StepConfig['forEach']> };
};

/** Runs one item to its end and gives its row. */
export type RunItem = (item: {
  readonly id: string;
  readonly index: number;
  readonly item: Value;
  readonly row?: StepRecord;
}) => Promise<StepRecord>;

export async function runForEach(context: RunContext, unit: ForEachUnit, runItem: RunItem): Promise<UnitEnd> {
  if (unit.row === undefined && unit.signal.aborted) return endOfAborted(unit);
  const list = await listOf(context, unit);
  if ('end' in list) return list.end;
  const { items, isReplayable } = list;
  const total = items.length;
  if (total === 0) {
    const counts = { total, ...noneEnded };
    return { state: 'succeeded', counts, outputs: counts, message: 'nothing to do: the list is empty' };
  }
  if (unit.row === undefined)
    await context.put(unit, {
      state: 'running',
      counts: { total },
      // A list that would be another one later is kept.
      ...(!isReplayable && { item: items }),
    });
  const window = new Window(context, unit, items, runItem);
  await window.takeUp();
  await window.run();
  return window.end();
}

type EndState = 'succeeded' | 'cached' | 'failed' | 'skipped' | 'cancelled';
const noneEnded: Readonly<Record<EndState, number>> = {
  succeeded: 0,
  cached: 0,
  failed: 0,
  skipped: 0,
  cancelled: 0,
};

class Window {
  readonly #context: RunContext;
  readonly #unit: ForEachUnit;
  readonly #items: readonly Value[];
  readonly #runItem: RunItem;
  /** One for each item that has ended or is worked on. */
  readonly #begun: Uint8Array;
  readonly #counts: Record<EndState, number> = { ...noneEnded };
  /** Items that were under way before a restart. */
  #left: readonly number[] = [];
  #next = 0;
  #firstFailure: { readonly index: number; readonly message: string } | undefined;

  constructor(context: RunContext, unit: ForEachUnit, items: readonly Value[], runItem: RunItem) {
    this.#context = context;
    this.#unit = unit;
    this.#items = items;
    this.#runItem = runItem;
    this.#begun = new Uint8Array(items.length);
  }

  /** What happened before a restart. */
  async takeUp(): Promise<void> {
    if (!this.#unit.row) return;
    const { runs } = this.#context.deps.ledger;
    const runId = this.#context.run.id;
    const name = this.#unit.step.name;
    for (const state of finalStepStates)
      for (const index of await runs.itemIndexes(runId, name, [state])) {
        this.#begun[index] = 1;
        this.#counts[state as EndState] += 1;
        if (state === 'failed' && (this.#firstFailure?.index ?? Number.POSITIVE_INFINITY) > index)
          this.#firstFailure = { index, message: '' };
      }
    if (this.#firstFailure) {
      const [row] = await runs.items(runId, name, this.#firstFailure.index, 1);
      if (row) this.#firstFailure = { index: row.index ?? 0, message: row.message ?? row.reason ?? '' };
    }
    this.#left = await runs.itemIndexes(runId, name, ['running', 'waiting']);
    for (const index of this.#left) this.#begun[index] = 1;
  }

  async run(): Promise<void> {
    const width = Math.min(this.#items.length, this.#unit.step.forEach.maxParallel);
    const left = [...this.#left];
    const work = async (): Promise<void> => {
      for (let index = left.pop(); index !== undefined; index = left.pop()) await this.#one(index, true);
      while (!this.#unit.signal.aborted) {
        const index = this.#takeNext();
        if (index === undefined) return;
        await this.#one(index, false);
      }
    };
    await Promise.all(Array.from({ length: width }, work));
  }

  end(): UnitEnd {
    const counts = { total: this.#items.length, ...this.#counts };
    const outputs = { ...counts };
    if (this.#unit.signal.aborted) return { ...endOfAborted(this.#unit), counts };
    const { total, failed: failures, cancelled } = counts;
    if (failures + cancelled === 0) return { state: 'succeeded', counts, outputs };
    const first =
      this.#firstFailure && `; the first, item ${this.#firstFailure.index}: ${this.#firstFailure.message}`;
    const what = `${failures + cancelled} of ${total} items failed${first ?? ': they were cancelled'}`;
    const fix = 'Resume the run to try only those again, or allow it with `continue_on_error`.';
    return { ...failed('item_failed', what, fix), counts, outputs };
  }

  async #one(index: number, isKnown: boolean): Promise<void> {
    const { deps, run } = this.#context;
    const { name } = this.#unit.step;
    const [row] = isKnown ? await deps.ledger.runs.items(run.id, name, index, 1) : [];
    const ended = await this.#runItem({
      id: `${name}[${index}]`,
      index,
      item: this.#items[index] as Value,
      ...(row?.index === index && { row }),
    });
    this.#counts[ended.state as EndState] += 1;
    if (ended.state === 'failed' && index < (this.#firstFailure?.index ?? Number.POSITIVE_INFINITY))
      this.#firstFailure = { index, message: ended.message ?? ended.reason ?? '' };
    this.#context.progress(this.#unit, { total: this.#items.length, ...this.#counts });
  }

  #takeNext(): number | undefined {
    while (this.#begun[this.#next] === 1) this.#next += 1;
    if (this.#next >= this.#items.length) return undefined;
    this.#begun[this.#next] = 1;
    return this.#next;
  }
}

async function listOf(
  context: RunContext,
  unit: ForEachUnit,
): Promise<{ readonly items: readonly Value[]; readonly isReplayable: boolean } | { readonly end: UnitEnd }> {
  const { items } = unit.step.forEach;
  const kept = unit.row?.item;
  if (Array.isArray(kept)) return { items: kept as readonly Value[], isReplayable: true };
  const render = new Renderer(context, unit);
  if ('list' in items) {
    const sources = context.scope.templatesIn(items.list);
    const list = (await context.prepare(() => render.deep(items.list))) as readonly Value[];
    return { items: list, isReplayable: sources.every((source) => staysTheSame(source)) };
  }
  const parsed = parseExpression(items.expression);
  if ('problem' in parsed) throw new ExpressionError(items.expression, parsed.problem);
  const value = await context.prepare(async () =>
    evaluate(parsed.ast, await context.scope.of([parsed.ast], render.own)),
  );
  if (!Array.isArray(value)) return { end: noList(items.expression, value) };
  return { items: value as readonly Value[], isReplayable: staysTheSame(parsed.ast) };
}

function noList(expression: string, value: Value): UnitEnd {
  const what =
    value === null ? 'nothing (null)' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
  return failed(
    'expression',
    `\`for_each\` goes over a list, and \`${expression}\` gives ${what}`,
    value === null
      ? "Look at the name. Where there may be nothing, write `… || fromJSON('[]')`."
      : 'Let the step before give a JSON list, and read it with fromJSON().',
  );
}

/** Made again after a restart it is the same: it reads only what stands in the ledger and does not change. */
function staysTheSame(source: Parameters<typeof contextsOf>[0]): boolean {
  const lasting = new Set(['steps', 'inputs', 'run', 'file']);
  return (
    contextsOf(source).every(({ context }) => lasting.has(context)) &&
    !/\b(glob|hashFiles)\b/.test(source.text)
  );
}

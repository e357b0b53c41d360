/**
 * What the expressions of a run can see. Evaluating is synchronous, the ledger is not: what a text reads is known before
 * it is evaluated, and only that is fetched; nothing of a large run is kept in memory because an expression might want it.
 */
import { LRUCache } from 'lru-cache';
import { baseEnvironment } from '../agents/environment.ts';
import type { EnvEntry } from '../config/config.ts';
import { contextsOf, parseTemplate, renderText } from '../expressions/expressions.ts';
import type { Scope, Value } from '../expressions/scope.ts';
import type { Expression, Reference, Template } from '../expressions/syntax.ts';
import { AppError } from '../types/errors.ts';
import type { RunRecord, StepRecord, StepState } from '../types/run.ts';
import type { KeptDefinition } from './definition.ts';
import type { WorkflowsDeps } from './deps.ts';
import { fileValue } from './files-access.ts';
import { READABLE_BYTES, readLongResult, tooLong, wasTooLongForOutputs } from './results.ts';
import { runFiles } from './run-files.ts';

/** Items of one step, or files of a run, that an expression can have as a list. */
export const LISTED_AT_MOST = 1_000;
const KEPT_CHARS = 8 << 20;

/** What only one step, item or text sees. */
export interface OwnValues {
  readonly item?: Value;
  readonly index?: number;
  /** In a step's `outputs`. */
  readonly result?: string | null;
  /** Of the step; those of the workflow are seen by all. */
  readonly env?: readonly EnvEntry[];
}

type Source = Template | Expression;

export class RunScope {
  readonly #deps: WorkflowsDeps;
  readonly #definition: KeptDefinition;
  readonly #run: () => RunRecord;
  readonly #templates = new Map<string, Template>();
  /** Steps that have ended do not change. */
  readonly #steps = new LRUCache<string, { readonly value: Value }>({
    maxSize: KEPT_CHARS,
    sizeCalculation: ({ value }) => 1 + (JSON.stringify(value)?.length ?? 0),
  });

  constructor(deps: WorkflowsDeps, definition: KeptDefinition, run: () => RunRecord) {
    this.#deps = deps;
    this.#definition = definition;
    this.#run = run;
  }

  /** Parsed once; those of the definition are few. @throws ExpressionError. */
  template(text: string): Template {
    let template = this.#templates.get(text);
    if (!template) {
      template = parseTemplate(text);
      this.#templates.set(text, template);
    }
    return template;
  }

  /** The templates in JSON, at any depth. */
  templatesIn(value: unknown): readonly Template[] {
    if (typeof value === 'string') return value.includes('${{') ? [this.template(value)] : [];
    if (typeof value !== 'object' || value === null) return [];
    return Object.values(value).flatMap((one) => this.templatesIn(one));
  }

  /** A scope for these texts; asked for anything that they do not read it says that it is not there. */
  async of(sources: readonly Source[], own: OwnValues = {}): Promise<Scope> {
    const references = sources.flatMap((source) => contextsOf(source));
    const contexts = new Map<string, () => Value | undefined>();
    for (const name of new Set(references.map(({ context }) => context)))
      contexts.set(name, await this.#fetched(name, references, own));
    return { context: (name) => contexts.get(name)?.(), files: this.#deps.files.access };
  }

  /** All that a template of a report may read. */
  async all(names: readonly string[], own: OwnValues): Promise<Readonly<Record<string, Value>>> {
    const values: Record<string, Value> = {};
    for (const name of names) {
      if (name === 'steps') continue;
      const value = await this.#context(name, [], own);
      if (value !== undefined) values[name] = value;
    }
    return values;
  }

  /** What cannot be had is an error where it is read, which knows its place. */
  async #fetched(
    name: string,
    references: readonly Reference[],
    own: OwnValues,
  ): Promise<() => Value | undefined> {
    try {
      const value = await this.#context(name, references, own);
      return () => value;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'EXPRESSION') throw error;
      return () => {
        throw error;
      };
    }
  }

  async #context(name: string, references: readonly Reference[], own: OwnValues): Promise<Value | undefined> {
    const run = this.#run();
    switch (name) {
      case 'steps':
        return this.#stepsOf(references.filter(({ context }) => context === 'steps'));
      case 'inputs':
        return run.inputs as Value;
      case 'run':
        return this.runValue();
      case 'file':
        return fileOf(run) ?? null;
      case 'files':
        return this.#files();
      case 'state':
        return this.#state();
      case 'env':
        return this.#env(own);
      case 'item':
        return own.item;
      case 'index':
        return own.index;
      case 'result':
        return own.result;
      default:
        return undefined;
    }
  }

  runValue(): { readonly [key: string]: Value } {
    const { id, workflow, startedAt, createdAt, trigger } = this.#run();
    return {
      ...{ id, workflow, started_at: new Date(startedAt ?? createdAt).toISOString(), trigger: trigger.kind },
      dir: this.#deps.publish.folder({ id, workflow }),
      session: id,
    };
  }

  /** @throws AppError EXPRESSION when there are too many of them. */
  async #files(): Promise<Value> {
    const own = fileOf(this.#run());
    if (own) return [own];
    const names = this.#definition.steps
      .filter(({ type, forEach }) => type === 'file_processing' && !forEach)
      .map(({ name }) => name);
    const files: Value[] = [];
    for await (const { file } of runFiles(this.#deps, this.#run().id, names)) {
      if (files.length >= LISTED_AT_MOST) throw tooMany('this run took in', 'files');
      files.push(file);
    }
    return files;
  }

  async #state(): Promise<Value> {
    const entries = await this.#deps.ledger.sessions.entries(this.#run().id, '');
    return Object.fromEntries(entries.map(({ key, value }) => [key, value as Value]));
  }

  /** Values that hold templates see everything but `env` itself. */
  async #env({ env: step = [], ...own }: OwnValues): Promise<Value> {
    const { env = {} } = this.#deps;
    const values: Record<string, Value> = { ...baseEnvironment(env) };
    for (const entry of [...this.#definition.env, ...step]) {
      if (entry.kind === 'pass') {
        values[entry.name] = env[entry.name] ?? null;
        continue;
      }
      const template = this.template(entry.value);
      const readsItself = contextsOf(template).some(({ context }) => context === 'env');
      values[entry.name] = readsItself
        ? entry.value
        : await renderText(template, await this.of([template], own));
    }
    return values;
  }

  async #stepsOf(references: readonly Reference[]): Promise<Value> {
    const wanted = new Map<string, Set<string>>();
    for (const { path } of references) {
      const [name, property = '*'] = path;
      const names = name === undefined ? await this.#endedSteps() : [name];
      for (const one of names) wanted.set(one, (wanted.get(one) ?? new Set()).add(property));
    }
    const values: Record<string, Value> = {};
    for (const [name, properties] of wanted) values[name] = await this.#step(name, properties);
    return values;
  }

  async #endedSteps(): Promise<readonly string[]> {
    const rows = await this.#deps.ledger.runs.steps(this.#run().id);
    if (rows.length > LISTED_AT_MOST) throw tooMany('this run has', 'steps');
    return rows.map(({ name }) => name);
  }

  async #step(name: string, properties: ReadonlySet<string>): Promise<Value> {
    const key = JSON.stringify([name, properties.has('items'), properties.has('result')]);
    const known = this.#steps.get(key);
    if (known) return known.value;
    const row = await this.#deps.ledger.runs.step(this.#run().id, name);
    const value = await this.#valueOf(name, row, properties);
    if (row?.endedAt !== undefined) this.#steps.set(key, { value });
    return value;
  }

  async #valueOf(name: string, row: StepRecord | undefined, properties: ReadonlySet<string>): Promise<Value> {
    const value = stepValue(row);
    if (!row) return value;
    const { resultBytes = 0, result, jobId } = row;
    if (properties.has('items') && row.counts) {
      if ((row.counts.total ?? 0) > LISTED_AT_MOST)
        refuseReading(value, 'items', tooMany(`"${name}" has`, 'items'));
      else value.items = await this.#items(name);
    }
    if (result === undefined && resultBytes > 0) {
      if (resultBytes > READABLE_BYTES) refuseReading(value, 'result', tooLong(name, resultBytes));
      else if (properties.has('result') && jobId !== undefined) {
        const job = await this.#deps.ledger.jobs.get(jobId);
        value.result = await readLongResult(this.#deps.jobs, job, name);
      }
    }
    if (wasTooLongForOutputs(row)) refuseReading(value, 'outputs', undeclared(name, resultBytes));
    return value;
  }

  async #items(name: string): Promise<Value> {
    const items = await this.#deps.ledger.runs.items(this.#run().id, name, 0, LISTED_AT_MOST);
    return items.map((row) => ({
      ...{ outcome: outcomeOf(row.state), state: row.state, result: resultOf(row) },
      outputs: (row.outputs ?? {}) as Value,
    }));
  }
}

/** A step as expressions see it; what has not run has nothing in it. */
export function stepValue(row: StepRecord | undefined): Record<string, Value> {
  return {
    outcome: row ? outcomeOf(row.state) : null,
    state: row?.state ?? 'pending',
    result: resultOf(row),
    outputs: (row?.outputs ?? {}) as Value,
    counts: row?.counts ?? {},
    error: row?.state === 'failed' ? (row.message ?? row.reason ?? null) : null,
  };
}

/** Of a step that said nothing: the empty text. */
function resultOf(row: StepRecord | undefined): Value {
  return row?.result ?? (row?.resultBytes === 0 ? '' : null);
}

/** How it went, whatever `continue_on_error` makes of it. */
export function outcomeOf(state: StepState): Value {
  switch (state) {
    case 'succeeded':
    case 'cached':
      return 'succeeded';
    case 'failed':
      return 'failed';
    case 'skipped':
    case 'cancelled':
      return state;
    case 'running':
    case 'waiting':
      return null;
    default:
      return state satisfies never;
  }
}

function fileOf({ trigger }: RunRecord): Value | undefined {
  if (trigger.kind !== 'file') return undefined;
  const { rootDir, path, sha256, bytes } = trigger.file;
  return fileValue(rootDir, path, { sha256, bytes });
}

/** Whoever reads it is told why not; who only lists what there is does not see it. */
function refuseReading(value: Record<string, Value>, key: string, error: AppError): void {
  Object.defineProperty(value, key, {
    enumerable: false,
    get() {
      throw error;
    },
  });
}

function tooMany(who: string, what: string): AppError {
  return new AppError('EXPRESSION', `${who} more than ${LISTED_AT_MOST} ${what}`, {
    fix: `A list of them can be had up to ${LISTED_AT_MOST}; \`steps.NAME.counts\` says how many there are, \`for_each\` goes through them.`,
  });
}

function undeclared(name: string, bytes: number): AppError {
  return new AppError(
    'EXPRESSION',
    `the result of "${name}" has ${bytes} bytes, too many to take outputs from`,
    { fix: 'Declare what you need under `outputs` of that step, or print less.' },
  );
}

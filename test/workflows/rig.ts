/** An engine on a real ledger, with jobs that obey the test; it can be thrown away and started again on the same ledger. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { WorkflowConfig } from '../../src/config/workflow.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import type { RunRecord, StepRecord } from '../../src/types/run.ts';
import type { WorkflowsDeps } from '../../src/workflows/deps.ts';
import type { RunEvent } from '../../src/workflows/events.ts';
import { createFileAccess } from '../../src/workflows/files-access.ts';
import { Workflows } from '../../src/workflows/workflows.ts';
import { ScriptedJobs } from './scripted-jobs.ts';

export interface Rig {
  readonly dir: string;
  readonly ledger: Ledger;
  readonly jobs: ScriptedJobs;
  readonly events: RunEvent[];
  /** Ids of runs whose reports were written, in order. */
  readonly reports: string[];
  /** Messages of those that are open. */
  readonly conditions: string[];
  readonly config: WorkflowsDeps['config'] & { workflows: readonly WorkflowConfig[] };
  readonly deps: WorkflowsDeps;
  /** The engine now. */
  engine: Workflows;
  /**
   * As `kill -9`: the old engine hears and writes nothing any more.
   * @param beforeWrite Of the new one: asked before each write to the ledger and each submission; false: it dies there.
   */
  restart(beforeWrite?: () => boolean): Promise<{ readonly died: Promise<void> }>;
  run(workflow?: string, inputs?: Record<string, unknown>): Promise<RunRecord>;
  /** Starts a run and waits until nothing goes on. */
  done(workflow?: string, inputs?: Record<string, unknown>): Promise<RunRecord>;
  steps(id: string): Promise<Readonly<Record<string, StepRecord>>>;
  /** name → state, with the reason where there is one: `skipped need_failed`. */
  states(id: string): Promise<Readonly<Record<string, string>>>;
  /** The first event of this type (and step) that no earlier call gave, past or to come. */
  event<T extends RunEvent['type']>(type: T, step?: string): Promise<Extract<RunEvent, { type: T }>>;
}

export async function openRig(
  workflows: readonly WorkflowConfig[],
  more: Partial<WorkflowsDeps> = {},
): Promise<Rig> {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-workflows-'));
  const { ledger } = openSqliteLedger({ stateDir: join(dir, 'state') });
  const jobs = new ScriptedJobs(join(dir, 'results'));
  const events: RunEvent[] = [];
  const reports: string[] = [];
  const conditions: string[] = [];
  const raised = new Map<string, string>();
  const waiting: {
    readonly type: string;
    readonly step: string | undefined;
    readonly resolve: (event: never) => void;
  }[] = [];
  const taken = new Set<RunEvent>();
  const config = {
    projectDir: dir,
    roots: [],
    daemon: { maxDepth: 5 },
    workflows,
  } as unknown as Rig['config'];
  const deps: WorkflowsDeps = {
    config,
    ledger: {
      runs: ledger.runs,
      sessions: ledger.sessions,
      reviews: ledger.reviews,
      jobs: { get: (id) => jobs.get(id) },
      durable: () => ledger.durable(),
    },
    jobs,
    files: {
      async *process() {},
      again: async () => undefined,
      access: createFileAccess({ config: () => config, excluded: () => [join(dir, 'state')] }),
    },
    selectAgents: async (names) => names,
    publish: {
      async run(id) {
        reports.push(id);
      },
      async writeOutput({ run, stepId, path, text }) {
        const file = join(dir, 'out', run.id, stepId, path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, text);
        return { file, bytes: Buffer.byteLength(text) };
      },
      folder: (run) => join(dir, 'out', run.id),
      reportLink: (run) => `../${run.id}/report.html`,
    },
    changesOf: () => ({ kind: 'none' }),
    reviews: {
      conduct: () => Promise.reject(new Error('nobody reviews here')),
      letGo: async () => {},
    },
    conditions: {
      raise({ subject, message }) {
        if (!raised.has(subject)) conditions.push(message);
        raised.set(subject, message);
      },
      clear(_code, subject = '') {
        const at = conditions.indexOf(raised.get(subject) ?? '');
        if (raised.delete(subject)) conditions.splice(at, 1);
      },
    },
    redact: (text) => text.replaceAll('hunter2', '***'),
    log: { info() {}, warn() {} },
    now: Date.now,
    random: Math.random,
    ...more,
  };
  const listen = (engine: Workflows): void => {
    engine.events.subscribe((event) => {
      events.push(event);
      const at = waiting.findIndex((one) => isMeant(event, one.type, one.step));
      if (at < 0) return;
      taken.add(event);
      for (const { resolve } of waiting.splice(at, 1)) resolve(event as never);
    });
  };
  let gate = new Gate(deps);
  const rig: Rig = {
    ...{ dir, ledger, jobs, events, reports, conditions, config, deps },
    engine: new Workflows(gate.deps),
    async restart(beforeWrite) {
      gate.close();
      gate = new Gate(deps, beforeWrite);
      rig.engine = new Workflows(gate.deps);
      listen(rig.engine);
      await Promise.race([rig.engine.start(), gate.died]);
      return gate;
    },
    run: (workflow = 'wf', inputs = {}) =>
      rig.engine.run({ workflow, inputs, trigger: { kind: 'manual', who: 'test' } }),
    done: async (workflow, inputs) => rig.engine.done((await rig.run(workflow, inputs)).id),
    async steps(id) {
      return Object.fromEntries((await ledger.runs.steps(id)).map((row) => [row.name, row]));
    },
    async states(id) {
      const rows = await ledger.runs.steps(id);
      return Object.fromEntries(
        rows.map(({ name, state, reason }) => [name, reason === undefined ? state : `${state} ${reason}`]),
      );
    },
    event: (type, step) =>
      new Promise((resolve) => {
        const past = events.find((event) => !taken.has(event) && isMeant(event, type, step));
        if (!past) return void waiting.push({ type, step, resolve });
        taken.add(past);
        resolve(past as never);
      }),
  };
  listen(rig.engine);
  onTestFinished(async () => {
    await rig.engine[Symbol.asyncDispose]();
    await ledger[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });
  return rig;
}

function isMeant(event: RunEvent, type: string, step: string | undefined): boolean {
  return event.type === type && (step === undefined || step === stepOf(event));
}

function stepOf(event: RunEvent): string | undefined {
  return 'step' in event ? (typeof event.step === 'string' ? event.step : event.step.id) : undefined;
}

/** What stands between an engine and the world: closed, nothing passes any more. A call that was let in is over at once. */
export class Gate {
  readonly deps: WorkflowsDeps;
  #isClosed = false;
  readonly #died = Promise.withResolvers<void>();

  /** @param beforeWrite Called before each write to the ledger and each submission; false: the process dies there. */
  constructor(deps: WorkflowsDeps, beforeWrite: () => boolean = () => true) {
    const pass = <T extends object>(target: T, writes: RegExp): T =>
      new Proxy(target, {
        get: (_, key) => {
          const value = target[key as keyof T];
          if (typeof value !== 'function') return value;
          return (...args: unknown[]) => {
            if (this.#isClosed) return never;
            if (writes.test(String(key)) && !beforeWrite()) return this.#die();
            return Reflect.apply(value, target, args);
          };
        },
      });
    const { runs, sessions, reviews, jobs } = deps.ledger;
    this.deps = {
      ...deps,
      ledger: {
        runs: pass(runs, /^(define|create|update|put|forget|add)/),
        sessions: pass(sessions, /^(open|close)$/),
        reviews: pass(reviews, /^put$/),
        jobs: pass(jobs, /^$/),
        durable: () => (this.#isClosed ? (never as Promise<void>) : deps.ledger.durable()),
      },
      jobs: {
        submit: (task, o) => this.#let(() => (beforeWrite() ? deps.jobs.submit(task, o) : this.#die())),
        cancel: (id, reason) => this.#let(() => deps.jobs.cancel(id, reason)),
        resultOf: (job) => this.#let(() => deps.jobs.resultOf(job)),
        subscribe: (listener) =>
          deps.jobs.subscribe((event) => {
            if (!this.#isClosed) listener(event);
          }),
      },
      publish: { ...deps.publish, run: (id) => this.#let(() => deps.publish.run(id)) },
    };
  }

  get died(): Promise<void> {
    return this.#died.promise;
  }

  close(): void {
    this.#isClosed = true;
  }

  #let<T>(action: () => Promise<T>): Promise<T> {
    return this.#isClosed ? (never as Promise<T>) : action();
  }

  #die(): Promise<never> {
    this.#isClosed = true;
    this.#died.resolve();
    return never;
  }
}

const never = new Promise<never>(() => {});

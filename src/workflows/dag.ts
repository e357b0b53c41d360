/**
 * The order of a workflow's steps, and how far a run of it is: which steps may start now, and what the steps before them
 * came to. Pure, and cheap per step: each keeps count of those it still waits for, so that a step that ends looks at
 * nobody but the steps that follow it.
 *
 * A step without `needs` follows the one above it, whatever that came to: order only. One with `needs` depends on those,
 * and waits for nobody else.
 */
import { AppError } from '../types/errors.ts';

export interface DagStep {
  readonly name: string;
  readonly needs?: readonly string[];
}

export interface DagNode {
  readonly name: string;
  /** Place in the file. */
  readonly index: number;
  /** Absent: order only. */
  readonly needs?: readonly number[];
  /** Steps that wait for this one, by order or need. */
  readonly followers: readonly number[];
  /** How many steps it waits for. */
  readonly waitsFor: number;
}

export interface Dag {
  readonly nodes: readonly DagNode[];
  readonly byName: ReadonlyMap<string, number>;
  /** Indexes, each after all that it waits for. */
  readonly order: readonly number[];
}

/** @throws AppError CONFIG_INVALID for a need that does not exist, or a cycle: a loaded definition has neither. */
export function buildDag(steps: readonly DagStep[]): Dag {
  const byName = new Map(steps.map(({ name }, index) => [name, index]));
  const followers: number[][] = steps.map(() => []);
  const nodes = steps.map(({ name, needs }, index): DagNode => {
    const before = needs === undefined ? (index === 0 ? [] : [index - 1]) : indexesOf(needs, name, byName);
    for (const one of before) followers[one]?.push(index);
    return {
      ...{ name, index, waitsFor: before.length, followers: followers[index] as number[] },
      ...(needs !== undefined && { needs: before }),
    };
  });
  return { nodes, byName, order: orderOf(nodes) };
}

function indexesOf(
  needs: readonly string[],
  step: string,
  byName: ReadonlyMap<string, number>,
): readonly number[] {
  return [...new Set(needs)].map((need) => {
    const index = byName.get(need);
    if (index === undefined) throw invalid(`step "${step}" needs "${need}", which there is not`);
    return index;
  });
}

function orderOf(nodes: readonly DagNode[]): readonly number[] {
  const left = nodes.map(({ waitsFor }) => waitsFor);
  const order = nodes.filter(({ waitsFor }) => waitsFor === 0).map(({ index }) => index);
  for (let at = 0; at < order.length; at += 1)
    for (const follower of nodes[order[at] as number]?.followers ?? [])
      if (--(left[follower] as number) === 0) order.push(follower);
  if (order.length < nodes.length) {
    const caught = nodes.filter(({ index }) => (left[index] as number) > 0).map(({ name }) => name);
    throw invalid(`these steps wait for each other: ${caught.slice(0, 10).join(', ')}`);
  }
  return order;
}

function invalid(what: string): AppError {
  return new AppError('CONFIG_INVALID', `The workflow cannot run: ${what}`, {
    fix: 'Correct `needs`; `sluice workflow validate` names the place.',
  });
}

/** What a step has come to. `forgiven`: it failed, and nobody minds (`continue_on_error`). */
export type StepEnding = 'succeeded' | 'failed' | 'forgiven' | 'skipped';

/** What stands before a step that may start now. */
export interface Before {
  /** Nothing that it depends on failed; order only: nothing above it. */
  readonly success: boolean;
  readonly failure: boolean;
  /** Why a plain step must not run: its need, or one of its need's needs. Never for order only. */
  readonly obstacle?: { readonly reason: 'need_failed' | 'need_skipped'; readonly step: string };
}

/** How far one run is. */
export class DagState {
  readonly #dag: Dag;
  readonly #left: Int32Array;
  readonly #endings: (StepEnding | undefined)[];
  /** Of a step that has ended: the nearest that failed among itself and what it depends on; -1: none did. */
  readonly #failed: Int32Array;
  #firstFailure = Number.POSITIVE_INFINITY;
  #ended = 0;

  constructor(dag: Dag) {
    this.#dag = dag;
    this.#left = Int32Array.from(dag.nodes, ({ waitsFor }) => waitsFor);
    this.#endings = new Array(dag.nodes.length).fill(undefined);
    this.#failed = new Int32Array(dag.nodes.length).fill(-1);
  }

  get isDone(): boolean {
    return this.#ended === this.#dag.nodes.length;
  }

  ending(index: number): StepEnding | undefined {
    return this.#endings[index];
  }

  /** Steps that wait for nobody and have not ended: what a run begins with, or goes on with after a restart. */
  startable(): readonly number[] {
    return this.#dag.nodes.filter((node) => this.#mayStart(node.index)).map(({ index }) => index);
  }

  /** Takes over how steps ended before a restart. */
  restore(endingOf: (name: string) => StepEnding | undefined): void {
    for (const index of this.#dag.order) {
      const ending = endingOf((this.#dag.nodes[index] as DagNode).name);
      if (ending) this.settle(index, ending);
    }
  }

  /** A step has ended. @returns those that may start because of it. */
  settle(index: number, ending: StepEnding): readonly number[] {
    if (this.#endings[index] !== undefined) return [];
    const { followers, needs = [] } = this.#dag.nodes[index] as DagNode;
    this.#endings[index] = ending;
    this.#ended += 1;
    if (ending === 'failed') this.#firstFailure = Math.min(this.#firstFailure, index);
    this.#failed[index] = ending === 'failed' ? index : (this.#failedBefore(needs) ?? -1);
    const free: number[] = [];
    for (const follower of followers) {
      (this.#left[follower] as number) -= 1;
      if (this.#mayStart(follower)) free.push(follower);
    }
    return free;
  }

  before(index: number): Before {
    const { needs } = this.#dag.nodes[index] as DagNode;
    if (needs === undefined) {
      const failure = this.#firstFailure < index;
      return { success: !failure, failure };
    }
    const failed = this.#failedBefore(needs);
    if (failed !== undefined)
      return { success: false, failure: true, obstacle: this.#obstacle('need_failed', failed) };
    const skipped = needs.find((need) => this.#endings[need] === 'skipped');
    if (skipped !== undefined)
      return { success: false, failure: false, obstacle: this.#obstacle('need_skipped', skipped) };
    return { success: true, failure: false };
  }

  #obstacle(reason: 'need_failed' | 'need_skipped', index: number): NonNullable<Before['obstacle']> {
    return { reason, step: (this.#dag.nodes[index] as DagNode).name };
  }

  #failedBefore(needs: readonly number[]): number | undefined {
    for (const need of needs) if ((this.#failed[need] as number) >= 0) return this.#failed[need];
    return undefined;
  }

  #mayStart(index: number): boolean {
    return this.#left[index] === 0 && this.#endings[index] === undefined;
  }
}

/** The file that a job works on, and the tree that it lies in: a file's own, or the one that a step names. */
import { join } from 'node:path';
import type { RootConfig } from '../config/config.ts';
import type { JobRecord } from '../types/job.ts';
import type { Recipes } from './recipes.ts';
import { rootOfFile } from './step-work.ts';

export interface Original {
  /** Absolute. */
  readonly file: string;
  /** Absent: it lies in no root and not in the project folder. */
  readonly root?: Pick<RootConfig, 'name' | 'dir'>;
  /** Relative to the root; without one the file's whole path. */
  readonly path: string;
}

/** @returns undefined for a step without a file. */
export function originalOf(recipes: Recipes, { input, step }: JobRecord): Original | undefined {
  if (step) {
    const file = step.file?.path;
    if (file === undefined) return undefined;
    return { file, path: file, ...rootOfFile(recipes.config, file) };
  }
  const { path } = input;
  const root = recipes.root(input.root);
  return { file: join(root?.dir ?? '', path), path, ...(root && { root }) };
}

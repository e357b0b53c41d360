/** What agents may do, from the least to the most: each holds what stands before it. */
import type { Access } from './agent-cli.ts';

const order: readonly Access[] = ['read', 'edit', 'all'];

/** Whether who has `access` may do what `wanted` stands for. */
export function holds(access: Access, wanted: Access): boolean {
  return order.indexOf(wanted) <= order.indexOf(access);
}

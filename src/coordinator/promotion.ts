/**
 * From a proved attempt on a copy of the tree to the tree itself. What is put in place is known as ours before anybody can
 * see it, and on disk: a watcher, also one after a crash, would take it for somebody's.
 */
import type { FileRecord } from '../ledger/ledger.ts';
import type { AgentCall } from '../types/agent.ts';
import { AppError } from '../types/errors.ts';
import type { PromotedFile } from '../types/job.ts';
import type { AttemptDeps } from './attempt.ts';
import { type Crew, leaderOf } from './call.ts';
import type { Failure } from './endings.ts';
import { originalOf } from './original.ts';
import type { Recipes } from './recipes.ts';

/**
 * Puts what the agent changed in its copy of the tree in place: all of it, or nothing. In a batch that is the first job's,
 * which can undo it.
 */
export async function promote(
  deps: AttemptDeps,
  recipes: Recipes,
  crew: Crew,
  call: AgentCall,
): Promise<
  | { readonly kind: 'done'; readonly files: readonly PromotedFile[] }
  | { readonly kind: 'conflict'; readonly failure: Failure }
> {
  if (call.workspaceDir === undefined) return { kind: 'done', files: [] };
  const lease = leaderOf(crew);
  const { id, depth } = lease.job;
  const originals = crew.leases.flatMap(({ job }) => originalOf(recipes, job) ?? []);
  const { name: root = '', dir = '' } = originals[0]?.root ?? {};
  const own = new Set(originals.map(({ path }) => path));
  const before: FileRecord[] = [];
  try {
    const files = await deps.workspaces.promote({
      jobId: id,
      root: { name: root, dir },
      from: call.workspaceDir,
      // Before it can be seen: the watcher would take it for somebody's.
      onPlaced: async ({ path, stamp, sha256 }) => {
        const at = deps.now();
        const isOwn = own.has(path);
        await deps.ledger.written.put({ root, path, stamp, sha256, jobId: id, depth: depth + 1, at });
        const known = isOwn ? await deps.ledger.files.get(root, path) : undefined;
        if (known) {
          before.push(known);
          await deps.ledger.files.put({ ...known, stamp, sha256, seenAt: at, gone: false });
        }
        // After a crash in between it would be somebody's all the same.
        await deps.ledger.durable();
      },
    });
    if (files.length > 0) await deps.ledger.jobs.promoted(lease, files);
    return { kind: 'done', files };
  } catch (error) {
    for (const known of before) await deps.ledger.files.put(known);
    if (!(error instanceof AppError)) throw error;
    const { code, message, fix } = error;
    if (code !== 'PROMOTION_CONFLICT' && code !== 'PROMOTION_REFUSED') throw error;
    const why =
      code === 'PROMOTION_CONFLICT'
        ? ({ reason: 'interrupted', maxTries: Infinity } as const)
        : ({ reason: 'permission_denied', maxTries: 1 } as const);
    return { kind: 'conflict', failure: { kind: 'failed', ...why, message, fix } };
  }
}

/** The parts of an engine as operations see them; what only a daemon has is handed in beside it. */
import { toReceipt } from '../aggregator/receipt.ts';
import type { Engine } from '../engine/engine.ts';
import { ownFolders } from '../engine/own-folders.ts';
import { AppError } from '../types/errors.ts';
import { explainIgnored } from '../watch/ignore.ts';
import { scanOnce } from '../watch/scan.ts';
import type { Host } from './host.ts';

export function hostOf(
  engine: Engine,
  own: Pick<Host, 'state' | 'roots' | 'control' | 'startedAt' | 'loadWorkflow' | 'schedules'>,
): Host {
  const { config, ledger, coordinator, conditions, workflows, workspaces, approvals, reviews, sessions } =
    engine;
  const { tiers, available, lookAt } = engine;
  return {
    config,
    ledger,
    coordinator,
    conditions,
    tiers,
    available,
    lookAt,
    workspaces,
    approvals,
    reviews,
    workflows,
    sessions,
    redaction: () => engine.redaction(),
    results: {
      toReceipt,
      locate: (job) => engine.aggregator().locate(job),
      rebuild: () => engine.aggregator().rebuild(),
      async runReport(id) {
        const report = await engine.aggregator().reportOf(id);
        if (report) return report;
        throw new AppError('NOT_FOUND', `No run "${id}"`, { fix: 'See `sluice workflow list --runs`.' });
      },
      flush: () => engine.aggregator().flush(),
    },
    scan: ({ paths, signal }) =>
      scanOnce({ roots: config().roots, ...(paths && { paths }), excluded: ownFolders(config()), signal }),
    explainIgnored: (root, path) =>
      explainIgnored(root, path, ownFolders(config()), config().roots.indexOf(root)),
    ...own,
  };
}

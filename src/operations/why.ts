/** `sluice why`: what happened to a path and what would: ignored by which line, which rule and why not the others. */
import { relative, resolve, sep } from 'node:path';
import { stampOf } from '../cache/fingerprint.ts';
import { isOwnAgent, type RootConfig, type RuleTarget } from '../config/config.ts';
import { contains } from '../config/contains.ts';
import type { Recipes } from '../coordinator/recipes.ts';
import type { FileLedger, JobLedger, ResultLedger } from '../ledger/ledger.ts';
import { formatStamp } from '../types/change.ts';
import { AppError } from '../types/errors.ts';
import type { Receipt } from '../types/receipt.ts';
import { workflowAgent } from '../types/step-task.ts';
import type { Host } from './host.ts';

export interface WhyReport {
  readonly path: string;
  readonly root: string;
  readonly exists: boolean;
  readonly ignored_by?: { readonly pattern: string; readonly source: string };
  /** Null when none matches. */
  readonly rule: string | null;
  readonly target:
    | { readonly agent: string }
    | { readonly workflow: string }
    | { readonly agents: readonly string[]; readonly select: string }
    | { readonly action: string }
    | null;
  readonly candidates: readonly {
    readonly rule: string;
    readonly matched: boolean;
    readonly reason: string;
  }[];
  /** `unchanged`: nothing is read; `hit`: an earlier result is used; `miss`: it would run; `off`; null: no agent. */
  readonly cache: 'unchanged' | 'hit' | 'miss' | 'off' | null;
  readonly disposition?: string;
  readonly job?: Omit<Receipt, 'outputs'>;
}

/** What an answer needs: a daemon has it, and so has a command that only reads the ledger. */
export interface WhyHost extends Pick<Host, 'config' | 'explainIgnored'> {
  readonly ledger: {
    readonly files: Pick<FileLedger, 'get'>;
    readonly jobs: Pick<JobLedger, 'get'>;
    readonly results: Pick<ResultLedger, 'get'>;
  };
  readonly results: Pick<Host['results'], 'toReceipt'>;
  recipes(): Pick<Recipes, 'router' | 'route' | 'key' | 'reach'>;
}

/** @throws AppError NOT_FOUND when the path lies in no root. */
export async function why(host: WhyHost, file: string): Promise<WhyReport> {
  const config = host.config();
  const { root, path } = ownerOf(config.roots, resolve(file));
  const recipes = host.recipes();
  const ignored = await host.explainIgnored(root, path);
  const { rule, candidates } = recipes.router.explain(path);
  const known = await host.ledger.files.get(root.name, path);
  const stamp = stampOf(resolve(root.dir, path));
  const job = known?.jobId === undefined ? undefined : await host.ledger.jobs.get(known.jobId);
  return {
    path,
    root: root.name,
    exists: stamp !== undefined,
    ...(ignored && { ignored_by: ignored }),
    rule: rule?.name ?? null,
    target: rule ? viewTarget(rule.target) : null,
    candidates: candidates.map((candidate) => ({ ...candidate, rule: candidate.rule.name })),
    cache: await cacheState(),
    ...(known?.disposition !== undefined && { disposition: known.disposition }),
    ...(job && { job: withoutOutputs(host.results.toReceipt(job)) }),
  };

  async function cacheState(): Promise<WhyReport['cache']> {
    const route = recipes.route(path);
    if (route?.kind !== 'agent') return null;
    if (route.rule.cache === 'off') return 'off';
    const isSame = stamp !== undefined && known !== undefined && known.stamp === formatStamp(stamp);
    if (!isSame || known.sha256 === undefined) return 'miss';
    const input = { root: root.name, path, sha256: known.sha256 };
    for (const agent of recipes.reach(route.rule)) {
      const key = await recipes.key(route.rule, agent, input);
      if (job?.key === key && (job.state === 'succeeded' || job.state === 'cached')) return 'unchanged';
      if (route.candidates.includes(agent) && (await host.ledger.results.get(key))) return 'hit';
    }
    return 'miss';
  }
}

function viewTarget(target: RuleTarget): NonNullable<WhyReport['target']> {
  switch (target.kind) {
    case 'agent':
      return isOwnAgent(target.agent)
        ? { workflow: target.agent.slice(workflowAgent('').length) }
        : { agent: target.agent };
    case 'select':
      return { agents: target.agents, select: target.policy };
    case 'action':
      return { action: target.action };
    default:
      return target satisfies never;
  }
}

/** The innermost root that holds the path. */
export function ownerOf(roots: readonly RootConfig[], file: string): { root: RootConfig; path: string } {
  let best: RootConfig | undefined;
  for (const root of roots)
    if (contains(root.dir, file) && (!best || root.dir.length > best.dir.length)) best = root;
  if (!best) {
    const dirs = roots.map((root) => root.dir).join(', ');
    throw new AppError('NOT_FOUND', `"${file}" lies in no watched root`, {
      fix: `Name a path under ${dirs || 'a root of `watch`'}.`,
    });
  }
  return { root: best, path: relative(best.dir, file).split(sep).join('/') };
}

export function withoutOutputs({ outputs: _, ...receipt }: Receipt): Omit<Receipt, 'outputs'> {
  return receipt;
}

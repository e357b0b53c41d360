/**
 * Listings without a daemon: the ledger, opened for reading only. Nothing is locked, migrated or started, so they work
 * beside a `sluice run` and on a disk that is full. Each answer loads what it needs and no more: they have to be quick.
 */
import { join } from 'node:path';
import type { RunFacts } from '../aggregator/runs/facts.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { JobDetail } from '../operations/operations.ts';
import type { Condition } from '../types/condition.ts';
import { AppError } from '../types/errors.ts';
import type { JobRecord } from '../types/job.ts';
import type { CommandContext } from './context.ts';
import type { Reader } from './reader.ts';

export async function openLedgerReader(context: CommandContext): Promise<Reader> {
  const { configFile, stateDir } = await context.project();
  await using opened = new AsyncDisposableStack();
  let known: { ledger: Ledger | undefined } | undefined;
  /** Undefined: the project has none yet. */
  const ledgerOf = async (): Promise<Ledger | undefined> => {
    if (!known) {
      const { hasLedger, openSqliteLedger } = await import('../ledger/sqlite/open.ts');
      const ledger = hasLedger(stateDir) ? openSqliteLedger({ stateDir, readOnly: true }).ledger : undefined;
      if (ledger) stack.use(ledger);
      known = { ledger };
    }
    return known.ledger;
  };
  const stack = opened.move();

  return {
    async status() {
      const conditions: Condition[] = [];
      const config = await orCondition(conditions, '', () => context.config());
      const ledger = await orCondition(conditions, 'ledger', ledgerOf);
      const { stoppedStatus } = await import('../operations/status.ts');
      return stoppedStatus({
        configFile,
        conditions,
        env: context.env,
        ...(config && { config }),
        ...(ledger && { ledger }),
      });
    },

    async agents() {
      const [config, ledger, { listAgents }, { restingStandings }] = await Promise.all([
        context.config(),
        ledgerOf(),
        import('../operations/agents/agent-list.ts'),
        import('../operations/agents/resting.ts'),
      ]);
      const now = Date.now();
      const kept = ledger && { kept: ledger.kept };
      const standing = await restingStandings({ config, ...kept, env: context.env, now });
      return listAgents({ config, ...(ledger && { ledger }), standing, now });
    },

    async why(file) {
      const [config, ledger, { why }, { Recipes }, { createVersions }, { explainIgnored }, { toReceipt }] =
        await Promise.all([
          context.config(),
          ledgerOf(),
          import('../operations/why.ts'),
          import('../coordinator/recipes.ts'),
          import('../agents/versions.ts'),
          import('../watch/ignore.ts'),
          import('../aggregator/receipt.ts'),
        ]);
      const { ownFolders } = await import('../engine/own-folders.ts');
      const recipes = new Recipes(
        config,
        createVersions({ projectDir: config.projectDir, env: context.env }),
      );
      return why(
        {
          config: () => config,
          ledger: ledger ?? emptyLedger,
          recipes: () => recipes,
          results: { toReceipt },
          explainIgnored: (root, path) =>
            explainIgnored(root, path, ownFolders(config), config.roots.indexOf(root)),
        },
        file,
      );
    },

    async files(query) {
      const { viewFile } = await import('../operations/file-view.ts');
      return ((await (await ledgerOf())?.files.list(query)) ?? []).map(viewFile);
    },

    async jobs(query) {
      const [{ toReceipt }, { withoutOutputs }] = await Promise.all([
        import('../aggregator/receipt.ts'),
        import('../operations/why.ts'),
      ]);
      const jobs = (await (await ledgerOf())?.jobs.list(query)) ?? [];
      return jobs.map((job) => withoutOutputs(toReceipt(job)));
    },

    async job(prefix) {
      const { findJob } = await import('../operations/find-job.ts');
      const ledger = await ledgerOf();
      const job = await findJob(ledger ?? { jobs: { find: async () => [] } }, prefix);
      return describe(context, stateDir, ledger as Ledger, job);
    },

    async workflows() {
      const { listWorkflows } = await import('../operations/workflows/listings.ts');
      const { workflows } = await context.config();
      return listWorkflows((await ledgerOf()) ?? noRuns, workflows);
    },

    async schedules(query) {
      const { schedules } = await context.config();
      if (schedules.length === 0) return [];
      const { listSchedules } = await import('../operations/schedules.ts');
      return listSchedules(await ledgerOf(), schedules, query, Date.now());
    },

    async runs(query) {
      const { listRuns } = await import('../operations/workflows/listings.ts');
      const config = await context.config().catch(() => ({ workflows: [] }));
      return listRuns((await ledgerOf()) ?? noRuns, config.workflows, query);
    },

    async run(part) {
      const [{ findRun }, { readRun }, { runReport }] = await Promise.all([
        import('../operations/workflows/find-run.ts'),
        import('../aggregator/runs/read-run.ts'),
        import('../aggregator/runs/model.ts'),
      ]);
      const ledger = await ledgerOf();
      const { id } = await findRun(ledger ?? noRuns, part);
      const { output } = await context.config();
      const reader = { workRoot: join(stateDir, 'work'), redact: (text: string) => text, now: Date.now };
      const facts = await readRun({ ledger: ledger as Ledger, ...reader }, id);
      return runReport(facts as RunFacts, output.dir);
    },

    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** A project in which nothing has run yet. */
const emptyLedger = {
  files: { get: async () => undefined },
  jobs: { get: async () => undefined },
  results: { get: async () => undefined },
};

const noRuns = { runs: { list: async () => [], find: async () => [] } } as unknown as Pick<Ledger, 'runs'>;

/** A status can be given although a part of it cannot be read: then a condition says so. */
async function orCondition<T>(
  conditions: Condition[],
  subject: string,
  read: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { code, message, fix } = error;
    conditions.push({ code, subject, message, fix, since: Date.now() });
    return undefined;
  }
}

async function describe(
  context: CommandContext,
  stateDir: string,
  ledger: Ledger,
  job: JobRecord,
): Promise<JobDetail> {
  const [{ describeJob }, { toReceipt }, { locateResult }, { createHistory }] = await Promise.all([
    import('../operations/operations.ts'),
    import('../aggregator/receipt.ts'),
    import('../aggregator/locate.ts'),
    import('../aggregator/history.ts'),
  ]);
  // Where results stand is written in the configuration; one with errors must not hide the receipt.
  const config = await context.config().catch((): undefined => undefined);
  const history = createHistory({ stateDir, now: Date.now });
  const locate = async (of: JobRecord) => {
    const dir = config?.output.dir;
    if (dir === undefined) return undefined;
    return locateResult({ base: () => dir, history, job: (id) => ledger.jobs.get(id) }, of);
  };
  return describeJob({ stateDir, ledger, results: { toReceipt, locate } }, job);
}

/**
 * Random operations on a real daemon, from one seed; then the proof that no limit was ever exceeded and that nothing is
 * stuck. What ran at once is told by the agents themselves: each writes down when it begins, lives and ends. Asking the
 * daemon would not do, for it is what is on trial.
 */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import {
  allReceipts,
  filesOf,
  jobsOf,
  processesOf,
  sha256,
  stayWithinDay,
  withClock,
} from '../badinput/rig.ts';
import { type Chance, chanceOf } from './chance.ts';
import { agentScript, configText, type Limits, lastLimits, limitsFrom, places } from './limits-config.ts';
import { type Daemon, makeProject, type Project, until } from './project.ts';
import { readLives, tooMany, tooOften } from './truth-log.ts';

export interface FireReport {
  readonly files: number;
  readonly attempts: number;
  readonly restarts: number;
  readonly reloads: number;
  readonly slowestStartMs: number;
  /** What is wrong, in words; empty when all held. */
  readonly violations: readonly string[];
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  readonly orphans: number;
}

type Operation =
  | 'submit'
  | 'change'
  | 'cancel'
  | 'retry'
  | 'kill_agent'
  | 'kill_daemon'
  | 'restart'
  | 'reload'
  | 'bad_reload'
  | 'pause'
  | 'resume';

/** Of 500. What takes a second is rare. */
const shares: Readonly<Record<Operation, number>> = {
  submit: 270,
  change: 35,
  cancel: 45,
  retry: 30,
  kill_agent: 50,
  kill_daemon: 5,
  restart: 2,
  reload: 14,
  bad_reload: 5,
  pause: 21,
  resume: 21,
};

class Fire {
  readonly #chance: Chance;
  readonly #project: Project;
  readonly #contents = new Map<string, string>();
  readonly #retries = new Map<string, number>();
  readonly limits: Limits[] = [];
  restarts = 0;
  slowestStartMs = 0;
  #daemon: Daemon | undefined;
  #next = 0;

  constructor(chance: Chance, project: Project) {
    this.#chance = chance;
    this.#project = project;
    this.limits.push(limitsFrom(chance));
  }

  get contents(): ReadonlyMap<string, string> {
    return this.#contents;
  }

  get retries(): ReadonlyMap<string, number> {
    return this.#retries;
  }

  async start(): Promise<void> {
    this.writeConfig(configText(this.limits.length - 1, this.limits.at(-1) as Limits));
    const began = performance.now();
    this.#daemon = await this.#project.start();
    this.slowestStartMs = Math.max(this.slowestStartMs, performance.now() - began);
  }

  async stop(signal: NodeJS.Signals): Promise<number | null> {
    this.#daemon?.kill(signal);
    return (await this.#daemon?.exited) ?? null;
  }

  async reload(limits: Limits): Promise<void> {
    this.limits.push(limits);
    this.writeConfig(configText(this.limits.length - 1, limits));
    await this.#project.client.post('/api/control/reload');
  }

  /** By rename: a daemon that looks meanwhile finds either version whole. */
  writeConfig(text: string): void {
    renameSync(this.#project.write('config/next', text), join(this.#project.dir, 'config/orchestrator.yaml'));
  }

  async do(operation: Operation): Promise<void> {
    const { client } = this.#project;
    switch (operation) {
      case 'submit':
        return this.#write(`${this.#chance.pick(places)}/f${this.#next++}`);
      case 'change': {
        const known = [...this.#contents.keys()];
        return known.length === 0 ? undefined : this.#write(this.#chance.pick(known));
      }
      case 'cancel': {
        const open = await jobsOf(this.#project, { state: 'queued,running,waiting', limit: '20' });
        // It may have ended meanwhile: that is an answer too.
        if (open.length > 0)
          await client.post(`/api/jobs/${this.#chance.pick(open).job_id}/cancel`).catch(() => {});
        return;
      }
      case 'retry': {
        const ended = await jobsOf(this.#project, { state: 'failed,cancelled,succeeded', limit: '30' });
        if (ended.length === 0) return;
        const { job_id: id, input } = this.#chance.pick(ended);
        this.#retries.set(input.path, (this.#retries.get(input.path) ?? 0) + 1);
        await client.post('/api/jobs/retry', { targets: [id] }).catch(() => {});
        return;
      }
      case 'kill_agent': {
        const ours = new Set(processesOf(this.#project));
        const alive = readLives(this.#project.dir).filter(({ isOver, pid }) => !isOver && ours.has(pid));
        if (alive.length === 0) return;
        try {
          process.kill(this.#chance.pick(alive).pid, 'SIGKILL');
        } catch {
          // It has ended meanwhile.
        }
        return;
      }
      case 'kill_daemon':
      case 'restart':
        this.restarts++;
        await this.stop(operation === 'restart' ? 'SIGTERM' : 'SIGKILL');
        return this.start();
      case 'reload':
        return this.reload(limitsFrom(this.#chance));
      case 'bad_reload':
        this.writeConfig(
          this.#chance.pick(['version: 1\nagents: [', 'version: 1\nrouting_rules: [{ agent: nobody }]\n']),
        );
        await expect(client.post('/api/control/reload')).rejects.toThrow();
        this.writeConfig(configText(this.limits.length - 1, this.limits.at(-1) as Limits));
        return;
      case 'pause':
      case 'resume':
        await client.post(`/api/control/${operation}`);
        return;
      default:
        return operation satisfies never;
    }
  }

  #write(path: string): void {
    const isBad = this.#chance.next() < 0.06;
    const content = `${this.#chance.int(1, 45)} ${isBad ? 'bad' : 'good'} ${path} ${this.#next++}\n`;
    this.#project.write(`inbox/${path}`, content);
    this.#contents.set(path, content);
  }
}

/** @throws what the daemon answers when it should not; limits that did not hold are told in the report. */
export async function limitsUnderFire(seed: number, operations: number): Promise<FireReport> {
  const chance = chanceOf(seed);
  const project = makeProject('', withClock);
  stayWithinDay(project);
  project.write('agent.sh', agentScript);
  const fire = new Fire(chance, project);
  await fire.start();
  for (const operation of planOf(chance, operations)) {
    await fire.do(operation);
    if (chance.next() < 0.5) await sleep(chance.int(0, 25));
  }
  await fire.do('resume');
  const violations: string[] = [];
  await until('only what has to wait is left', async () => (await restless(project)).length === 0).catch(
    async (error: Error) => {
      violations.push(`${error.message}: ${(await restless(project)).join('; ')}`);
    },
  );
  const bounded = readLives(project.dir);
  const duringFire = fire.limits.length;
  await fire.reload(lastLimits);
  const { held } = (await project.status()).queue;
  if (held > 0) await project.client.post('/api/jobs/release', { held: true });
  await until('the queue is empty', async () => isEmpty(project)).catch(async (error: Error) => {
    const { queue, waits } = await project.status();
    violations.push(`${error.message}: ${JSON.stringify({ queue, waits })}`);
  });
  const lost = await lostOf(project, fire.contents);
  const doubled = await doubledOf(project, fire.retries);
  await fire.stop('SIGTERM');
  const lives = readLives(project.dir);
  const budgetSlack = fire.restarts + 1;
  const paid = bounded.filter(({ agent, isOver }) => agent === 'paid' && isOver).length;
  if (paid > PAID_PER_DAY + budgetSlack) violations.push(`${paid} paid attempts for ${PAID_PER_DAY}`);
  violations.push(...tooMany(lives, fire.limits), ...tooOften(bounded, duringFire));
  return {
    files: fire.contents.size,
    attempts: lives.length,
    restarts: fire.restarts,
    reloads: duringFire - 1,
    slowestStartMs: fire.slowestStartMs,
    violations,
    lost,
    doubled,
    orphans: processesOf(project).length,
  };
}

/** As many as the budget in `limits-config.ts` pays for. */
const PAID_PER_DAY = 12;

function planOf(chance: Chance, operations: number): Operation[] {
  const plan = Object.entries(shares).flatMap(([name, share]) =>
    Array.from({ length: Math.round((share * operations) / 500) }, () => name as Operation),
  );
  return chance.shuffle(plan);
}

/** What has not ended and does not wait for its rate or its budget, in words. */
async function restless(project: Project): Promise<string[]> {
  const open = await jobsOf(project, { state: 'queued,running,waiting' });
  return open
    .filter(
      ({ state, reason, agent }) =>
        !(state === 'waiting' && reason === 'budget') && !(state === 'queued' && agent === 'rationed'),
    )
    .map(({ input, state, reason, message }) => `${input.path}: ${state} ${reason ?? ''} ${message ?? ''}`);
}

async function isEmpty(project: Project): Promise<boolean> {
  const { queue } = await project.status();
  if (queue.queued + queue.running + queue.waiting + queue.held > 0) return false;
  const { roots } = await project.status();
  return roots.every(({ settling }) => settling === 0);
}

/** Files without a disposition, or with one that is not about what they hold now. */
async function lostOf(project: Project, contents: ReadonlyMap<string, string>): Promise<string[]> {
  let lost: string[] = [];
  const look = async (): Promise<boolean> => {
    const known = await filesOf(project);
    const receipts = Map.groupBy(allReceipts(project), ({ input }) => input.path);
    // Newest first. What somebody cancelled has no receipt: its row says so.
    const newest = new Map((await jobsOf(project)).toReversed().map((job) => [job.input.path, job]));
    lost = [...contents].flatMap(([path, content]) => {
      const disposition = known.get(path)?.disposition;
      const isCancelled = newest.get(path)?.state === 'cancelled' && disposition === 'ignored';
      const record = isCancelled ? newest.get(path) : receipts.get(path)?.[0];
      if (disposition !== undefined && record?.input.sha256 === sha256(content)) return [];
      return [`${path}: ${disposition}, ${record?.state}`];
    });
    return lost.length === 0;
  };
  await until('every file has its disposition', look).catch(() => {});
  return lost;
}

/** Versions of files that have succeeded more often than anybody asked for. */
async function doubledOf(project: Project, retries: ReadonlyMap<string, number>): Promise<string[]> {
  const times = new Map<string, number>();
  for (const { input } of await jobsOf(project, { state: 'succeeded' })) {
    const version = `${input.path} ${input.sha256}`;
    times.set(version, (times.get(version) ?? 0) + 1);
  }
  return [...times]
    .filter(([version, n]) => n > 1 + (retries.get(version.split(' ')[0] ?? '') ?? 0))
    .map(([version]) => version);
}

// collect.mjs PROCESSED HOURS HISTORY OWN: what ended in the last hours, from receipts and reports, as JSON. Runs of the
// workflow OWN (the digest itself) are left out. Node 18 or newer.
//
// Receipts say what became of a file (the latest of each), reports what became of a run. Both are read as they come: one that is
// torn or not ours is counted as unreadable, and stops nothing. Links are not followed.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';

const [processed, hours, history, own] = process.argv.slice(2);
const root = resolve(processed);
const now = Date.now();
const since = now - Number(hours) * 3_600_000;
const listed = 20;
let unreadable = 0;

const files = [...below(join(root, 'files'), 'receipt.json')].flatMap(readRecent).map(fileOf);
const runs = [...below(join(root, 'workflows'), 'report.json', 2)]
  .flatMap(readRecent)
  .map(runOf)
  .filter(({ workflow }) => workflow !== own);
const failed = [...files, ...runs]
  .filter(({ state }) => state === 'failed')
  .sort((a, b) => (a.ended < b.ended ? 1 : -1));
const digest = {
  files: { total: files.length, ...count(files, 'state') },
  runs: { total: runs.length, ...count(runs, 'state') },
  cost_usd: sum([...files, ...runs], 'cost'),
  agents: group(files, 'agent'),
  workflows: group(runs, 'workflow'),
  failures: failed.slice(0, listed),
  more_failures: Math.max(0, failed.length - listed),
  slowest: [...files, ...runs].sort((a, b) => b.ms - a.ms).slice(0, 5),
  days: days(),
  unreadable,
};
const failures =
  failed.length === 0 ? 'no failures' : failed.length === 1 ? '1 failure' : `${failed.length} failures`;
const headline = `${plural(files.length, 'file')} and ${plural(runs.length, 'run')}, ${failures}, $${digest.cost_usd.toFixed(2)}`;
console.log(JSON.stringify({ headline, ...digest }));

/** Files of this name, as deep as they lie, or at one depth. */
function* below(folder, name, depth = Number.POSITIVE_INFINITY) {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && depth > 0) yield* below(path, name, depth - 1);
    else if (entry.isFile() && entry.name === name) yield path;
  }
}

function readRecent(path) {
  try {
    const record = JSON.parse(readFileSync(path, 'utf8'));
    const ended = Date.parse(record.ended_at);
    // What has no end yet runs still.
    return ended >= since && ended <= now ? [{ record, path }] : [];
  } catch {
    unreadable += 1;
    return [];
  }
}

function fileOf({ record, path }) {
  const { input, agent, state, reason, message } = record;
  return {
    kind: 'file',
    name: `${input?.root}/${input?.path}`,
    agent,
    state,
    why: message ?? reason ?? null,
    ...common(record, dirname(path)),
  };
}

function runOf({ record, path }) {
  const { workflow, state, message } = record;
  const step = record.steps?.find((one) => one.state === 'failed' && !one.continue_on_error);
  const why = message ?? (step ? `${step.name}: ${step.message ?? step.reason}` : null);
  return {
    kind: 'run',
    name: `${workflow} ${basename(dirname(path))}`,
    workflow,
    state,
    why,
    ...common(record, join(dirname(path), 'report.html')),
  };
}

function common({ duration_ms: ms = 0, cost_usd: cost, ended_at: ended }, path) {
  // Below the output folder; a link that stays one whatever the names hold.
  const href = relative(root, path).split('/').map(encodeURIComponent).join('/');
  return { ms, cost: cost ?? 0, ended, href };
}

function count(list, key) {
  const counts = {};
  for (const one of list) counts[one[key]] = (counts[one[key]] ?? 0) + 1;
  return counts;
}

function group(list, key) {
  const groups = new Map();
  for (const one of list) groups.set(one[key], [...(groups.get(one[key]) ?? []), one]);
  return [...groups]
    .map(([name, members]) => ({
      name,
      total: members.length,
      failed: members.filter(({ state }) => state === 'failed').length,
      cached: members.filter(({ state }) => state === 'cached').length,
      ms: sum(members, 'ms'),
      cost_usd: sum(members, 'cost'),
    }))
    .sort((a, b) => b.total - a.total || (a.name < b.name ? -1 : 1))
    .slice(0, listed);
}

/** The last two weeks, today included; of a day that was counted twice the later count. */
function days() {
  const lines = existsSync(history) ? readFileSync(history, 'utf8').split('\n') : [];
  const before = new Map();
  for (const line of lines) {
    try {
      const day = JSON.parse(line);
      before.set(day.day, day);
    } catch {
      // The last line of a full disk.
    }
  }
  const today = { day: dayOf(now), total: files.length + runs.length, failed: failed.length };
  before.set(today.day, today);
  const all = [...before.values()].sort((a, b) => (a.day < b.day ? -1 : 1)).slice(-14);
  const most = Math.max(1, ...all.map(({ total }) => total));
  return all.map((one) => ({ ...one, percent: Math.round((one.total * 100) / most) }));
}

/** Here, not in Greenwich: it is a day of the people who read it. */
function dayOf(time) {
  const at = new Date(time);
  return [at.getFullYear(), at.getMonth() + 1, at.getDate()]
    .map((part) => String(part).padStart(2, '0'))
    .join('-');
}

function sum(list, key) {
  return list.reduce((total, one) => total + one[key], 0);
}

function plural(n, word) {
  return `${n} ${word}${n === 1 ? '' : 's'}`;
}

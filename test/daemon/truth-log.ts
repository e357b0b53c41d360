/** What the agents of `limits-under-fire.ts` wrote down, and whether any limit was exceeded by it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Limits, ratedPerSecond, rationedPerMinute } from './limits-config.ts';

/** One attempt, as its process told it. It may have lived longer: it was not seen to. */
export interface Life {
  readonly pid: number;
  readonly agent: string;
  readonly rule: string;
  /** Index of the configuration that started it. */
  readonly generation: number;
  readonly files: number;
  /** Milliseconds since the epoch. */
  readonly beganAt: number;
  seenAt: number;
  isOver: boolean;
}

export function readLives(dir: string): Life[] {
  let text = '';
  try {
    text = readFileSync(join(dir, 'truth.log'), 'utf8');
  } catch {
    return [];
  }
  const lives: Life[] = [];
  const byPid = new Map<number, Life>();
  for (const line of text.split('\n')) {
    const [what, time, pid, agent = '', rule = '', generation, files] = line.split(' ');
    if (files === undefined) continue;
    // Locales write a comma.
    const at = Number(time?.replace(',', '.')) * 1_000;
    if (what === 'B') {
      const life = {
        pid: Number(pid),
        agent,
        rule,
        generation: Number(generation),
        files: Number(files),
        beganAt: at,
      };
      const begun: Life = { ...life, seenAt: at, isOver: false };
      lives.push(begun);
      byPid.set(begun.pid, begun);
      continue;
    }
    const life = byPid.get(Number(pid));
    if (!life) continue;
    life.seenAt = at;
    life.isOver = what === 'E';
  }
  return lives.sort((a, b) => a.beganAt - b.beganAt);
}

/**
 * Whenever an attempt begins, those that are seen to live with it are counted. Allowed is the largest of what the
 * configurations say under which they were started, and the one before: a claim may be older than its start.
 */
export function tooMany(lives: readonly Life[], limits: readonly Limits[]): string[] {
  const found: string[] = [];
  for (const life of lives) {
    const now = lives.filter((one) => one.beganAt <= life.beganAt && life.beganAt < one.seenAt);
    const all = now.includes(life) ? now : [...now, life];
    const check = (what: keyof Limits, group: readonly Life[], count: number): void => {
      const allowed = Math.max(
        ...group.flatMap(({ generation }) =>
          [generation - 1, generation].map((one) => Number(limits[one]?.[what] ?? 0)),
        ),
      );
      if (count > allowed)
        found.push(`${what}: ${count} of ${allowed} at ${life.beganAt}: ${JSON.stringify(group)}`);
    };
    const of = (is: (one: Life) => boolean): Life[] => all.filter(is);
    check('processes', all, all.length);
    check(
      'files',
      all,
      all.reduce((sum, { files }) => sum + files, 0),
    );
    const plain = of(({ agent }) => agent === 'plain');
    if (life.agent === 'plain') check('plain', plain, plain.length);
    const batcher = of(({ agent }) => agent === 'batcher');
    if (life.agent === 'batcher') check('batcher', batcher, batcher.length);
    const narrow = of(({ rule }) => rule === 'narrow');
    if (life.rule === 'narrow') check('narrow', narrow, narrow.length);
    const paid = of(({ agent }) => agent === 'paid').length;
    if (paid > 1) found.push(`paid: ${paid} of 1 at ${life.beganAt}`);
  }
  return found;
}

/** @param lives Of the time in which rates were in force. */
export function tooOften(lives: readonly Life[], generations: number): string[] {
  const found: string[] = [];
  // From the claim to the first line of the process it takes a while, on a busy machine a second: what was claimed in
  // two spans can be told so much closer, but not all at once.
  for (const [agent, count, withinMs] of [
    ['rated', ratedPerSecond, 100],
    ['rationed', rationedPerMinute, 45_000],
  ] as const) {
    const begun = lives.filter((life) => life.agent === agent && life.generation < generations);
    for (const [n, { beganAt }] of begun.entries()) {
      const later = begun[n + count];
      if (later && later.beganAt - beganAt < withinMs)
        found.push(`${agent}: ${count + 1} began within ${Math.round(later.beganAt - beganAt)} ms`);
    }
  }
  return found;
}

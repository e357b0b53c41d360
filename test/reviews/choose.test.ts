/** Who reviews: different kinds, not the author, those who are there. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AgentConfig } from '../../src/config/config.ts';
import { chooseReviewers } from '../../src/reviews/choose.ts';
import { agent, reviewsConfig } from './agents.ts';

function names(
  agents: readonly AgentConfig[],
  o: {
    author?: string | readonly string[];
    away?: readonly string[];
    reviewers?: number;
    named?: readonly string[];
  } = {},
): readonly string[] {
  const { author = 'author', away = [], reviewers = 2, named = [] } = o;
  const config = reviewsConfig({ reviewers, agents: named });
  const isAvailable = (name: string): boolean => !away.includes(name);
  return chooseReviewers({ agents, authors: new Set([author].flat()), isAvailable, config }).map(
    ({ name }) => name,
  );
}

const author = agent('author');
const claude = agent('claude-2');
const codex = agent('codex-1', { kind: 'codex' });
const codex2 = agent('codex-2', { kind: 'codex' });
const gemini = agent('gemini-1', { kind: 'gemini' });

describe('by capability', () => {
  test('other kinds than the author’s first, and each kind once before any twice', () => {
    expect(names([author, claude, codex, codex2, gemini])).toEqual(['codex-1', 'gemini-1']);
    expect(names([author, claude, codex, codex2], { reviewers: 3 })).toEqual([
      'codex-1',
      'claude-2',
      'codex-2',
    ]);
    expect(names([author, claude], {})).toEqual(['claude-2']);
  });

  test('light before heavy, then priority, then the order of the configuration', () => {
    const heavy = agent('heavy', { kind: 'codex', load: 'heavy', priority: 50 });
    const plain = agent('plain', { kind: 'codex', priority: 1 });
    const better = agent('better', { kind: 'codex', priority: 2 });
    const light = agent('light', { kind: 'codex', load: 'light', priority: -5 });
    expect(names([heavy, plain, better, codex, light], { reviewers: 9 })).toEqual([
      'light',
      'better',
      'plain',
      'codex-1',
      'heavy',
    ]);
  });

  test('only who can review, and can work now', () => {
    const coder = agent('coder', { capabilities: ['coding'], kind: 'gemini' });
    const builtin = agent('inspect', { kind: 'builtin' });
    const own = agent('$command', { kind: 'command' });
    const workflow = agent('flow', { kind: 'workflow' });
    const script = agent('script', { kind: 'command' });
    expect(names([author, coder, builtin, own, workflow, script, codex], { away: ['codex-1'] })).toEqual([
      'script',
    ]);
    expect(names([author, codex], { away: ['codex-1'] })).toEqual([]);
  });

  test('plugins of different packages are different kinds', () => {
    const plugin = (name: string, from: string) =>
      agent(name, { kind: 'plugin', cli: { plugin: { package: from, options: {} } } });
    expect(names([plugin('a1', 'a'), plugin('a2', 'a'), plugin('b1', 'b')])).toEqual(['a1', 'b1']);
  });

  test('of several who have worked on it, none; other kinds than theirs first', () => {
    const claude3 = agent('claude-3', { load: 'light' });
    expect(names([author, claude3, codex, codex2, gemini], { author: ['author', 'codex-1'] })).toEqual([
      'gemini-1',
      'claude-3',
    ]);
    expect(names([author, codex], { author: ['codex-1', 'author'], named: ['codex-1', 'author'] })).toEqual(
      [],
    );
  });

  test('an author that is not configured any more stands in nobody’s way', () => {
    expect(names([claude, codex], { author: 'gone' })).toEqual(['claude-2', 'codex-1']);
  });
});

describe('by name', () => {
  test('in the order that is written, with or without the capability; never the author, nobody twice', () => {
    const able = agent('able', { capabilities: [] });
    const agents = [author, claude, codex, codex2, able];
    expect(names(agents, { named: ['able', 'author', 'codex-2', 'able', 'codex-1'] })).toEqual([
      'able',
      'codex-2',
    ]);
    expect(names(agents, { named: ['codex-1', 'nobody', 'able'], away: ['codex-1'] })).toEqual(['able']);
    expect(names(agents, { named: ['able', 'able', 'codex-1', 'able'], reviewers: 9 })).toEqual([
      'able',
      'codex-1',
    ]);
  });
});

test('whoever there is: never the author, nobody who is away, nobody twice, as many as wanted or all there are', () => {
  const some = fc.uniqueArray(
    fc.record({
      name: fc.constantFrom<string>('a', 'b', 'c', 'd', 'e', 'f'),
      kind: fc.constantFrom('claude', 'codex', 'gemini', 'command'),
      load: fc.constantFrom(undefined, 'light', 'heavy'),
      priority: fc.integer({ min: -3, max: 3 }),
      isAway: fc.boolean(),
    }),
    { selector: ({ name }) => name },
  );
  fc.assert(
    fc.property(
      some,
      fc.constantFrom('a', 'b', 'x'),
      fc.integer({ min: 1, max: 4 }),
      (facts, who, reviewers) => {
        const agents = facts.map(({ name, ...rest }) => agent(name, rest));
        const away = facts.flatMap(({ name, isAway }) => (isAway ? name : []));
        const chosen = names(agents, { author: who, away, reviewers });
        const able = agents.filter(({ name }) => name !== who && !away.includes(name));
        expect(chosen).toHaveLength(Math.min(reviewers, able.length));
        expect(new Set(chosen).size).toBe(chosen.length);
        expect(chosen.every((name) => able.some((one) => one.name === name))).toBe(true);
        // As many kinds as there are places or kinds.
        const kinds = (all: readonly AgentConfig[]) => new Set(all.map(({ kind }) => kind)).size;
        const picked = able.filter(({ name }) => chosen.includes(name));
        expect(kinds(picked)).toBe(Math.min(chosen.length, kinds(able)));
      },
    ),
  );
});

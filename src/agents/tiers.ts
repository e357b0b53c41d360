/**
 * How well a project is staffed, as a number: which of the three agent CLIs that complement each other can work now. Pure;
 * who can work is found out in `src/engine/tiers.ts`.
 */

export interface Tier {
  /** 1 is the best. */
  readonly number: 1 | 2 | 3 | 4 | 5;
  readonly name: string;
  /** What it means for work and reviews, a sentence for people. */
  readonly means: string;
}

const tiers: readonly (Tier & { readonly kinds: readonly string[] })[] = [
  {
    number: 1,
    name: 'full',
    kinds: ['gemini', 'claude', 'codex'],
    means: 'Gemini, Claude and Codex can work: each has two others to review it.',
  },
  {
    number: 2,
    name: 'without codex',
    kinds: ['gemini', 'claude'],
    means: 'Gemini and Claude can work: each is reviewed by the other.',
  },
  {
    number: 3,
    name: 'without claude',
    kinds: ['gemini', 'codex'],
    means: 'Gemini and Codex can work: each is reviewed by the other.',
  },
  {
    number: 4,
    name: 'without gemini',
    kinds: ['claude', 'codex'],
    means: 'Claude and Codex can work: each is reviewed by the other.',
  },
];

const solo: Tier = {
  number: 5,
  name: 'solo',
  means:
    'At most one of Gemini, Claude and Codex can work: built-in checks stand in where no other agent reviews.',
};

/** @param kinds Of the agents that can work now; kinds that are none of the three change nothing. */
export function tierOf(kinds: Iterable<string>): Tier {
  const available = new Set(kinds);
  const found = tiers.find((tier) => tier.kinds.every((kind) => available.has(kind)));
  if (!found) return solo;
  const { number, name, means } = found;
  return { number, name, means };
}

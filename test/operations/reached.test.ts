import { expect, test } from 'vitest';
import type { AgentConfig, Config } from '../../src/config/config.ts';
import { reachedAgents } from '../../src/operations/agents/reached.ts';

const agent = (name: string, more: object = {}) =>
  [name, { name, capabilities: [], fallback: [], ...more } as unknown as AgentConfig] as const;
const agents = new Map([
  agent('a', { fallback: ['b'] }),
  agent('b', { fallback: ['a', 'c'] }),
  agent('c'),
  agent('reviewer', { capabilities: ['code_review'] }),
  agent('idle'),
]);
const rule = (target: object) => ({ target });
const workflow = (steps: object[], onFailure: object[] = []) => ({ steps, onFailure });

test.each<[string, object, string]>([
  ['nothing', {}, ''],
  [
    'a rule and its chain of fallbacks, which may be a circle',
    { rules: [rule({ kind: 'agent', agent: 'a' })] },
    'a b c',
  ],
  ['all that a rule chooses from', { rules: [rule({ kind: 'select', agents: ['c', 'idle'] })] }, 'c idle'],
  ['actions reach nobody', { rules: [rule({ kind: 'action', action: 'ignore' })] }, ''],
  [
    'steps',
    { workflows: [workflow([{ type: 'agent', agents: ['c'] }], [{ type: 'agent', agents: ['idle'] }])] },
    'c idle',
  ],
  ['reviews: who can', { reviews: { agents: [] } }, 'reviewer'],
  ['reviews: who is named, and nobody in its place', { reviews: { agents: ['a'] } }, 'a'],
  [
    'one that reviews and works: its fallbacks too',
    { reviews: { agents: ['b'] }, rules: [rule({ kind: 'agent', agent: 'b' })] },
    'b a c',
  ],
  ['a review step', { workflows: [workflow([{ type: 'review', reviews: { agents: [] } }])] }, 'reviewer'],
])('%s', (_what, parts, names) => {
  const config = { agents, rules: [], workflows: [], ...parts } as unknown as Config;
  expect([...reachedAgents(config)].join(' ')).toBe(names);
});

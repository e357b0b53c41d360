/** Rules as the configuration resolves them, with only what routing looks at chosen by the test. */
import picomatch from 'picomatch';
import type { RuleConfig } from '../../src/config/config.ts';
import { forPicomatch } from '../../src/config/glob.ts';

export function rule(name: string, patterns: readonly string[], priority = 0): RuleConfig {
  return {
    name,
    patterns,
    priority,
    target: { kind: 'agent', agent: name },
    expect: { outputs: [] },
    cache: 'content',
    maxLoad: Number.POSITIVE_INFINITY,
  };
}

/** What the documentation promises, said in the plainest way: every rule in turn, every pattern by picomatch. */
export function linearScan(rules: readonly RuleConfig[]): (path: string) => RuleConfig | undefined {
  const options = { dot: true, flags: 's' };
  const compiled = rules.map((candidate) => ({
    candidate,
    wanted: candidate.patterns
      .filter((p) => !/^!(?!\()/.test(p))
      .map((p) => picomatch(forPicomatch(p), options)),
    refused: candidate.patterns
      .filter((p) => /^!(?!\()/.test(p))
      .map((p) => picomatch(forPicomatch(p.slice(1)), options)),
  }));
  return (path) =>
    compiled.find(
      ({ wanted, refused }) => wanted.some((fits) => fits(path)) && !refused.some((fits) => fits(path)),
    )?.candidate;
}

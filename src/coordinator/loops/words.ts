/** What a person reads about a loop. */
import type { Hold } from '../../ledger/ledger.ts';

const release = 'Look at what its command writes, then run `sluice jobs release` or `sluice jobs cancel`.';

export function heldForLoop(rules: Iterable<string>): Hold {
  return {
    reason: 'loop',
    message: `The file appeared while ${nameRules(rules)} worked, and so did the ones before it, never otherwise: it seems to be its own output.`,
    fix: `Let the command write to $SLUICE_OUTPUT_DIR, or exclude what it writes by \`ignore\` or a narrower pattern. ${release}`,
  };
}

/** @param depth Of the file: 1 is a file that was made from one that came from outside. */
export function heldForDepth(depth: number, maxDepth: number): Hold {
  return {
    reason: 'depth',
    message: `The file descends from our own work in ${depth} steps; at most ${maxDepth} are allowed (\`daemon.max_depth\`).`,
    fix: `Raise \`daemon.max_depth\` if so many steps are meant. ${release}`,
  };
}

export function nameRules(rules: Iterable<string>): string {
  const names = [...rules].map((rule) => `"${rule}"`);
  return names.length === 1 ? `rule ${names[0]}` : `rules ${names.join(' and ')}`;
}

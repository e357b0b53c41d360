/** The project of `limits-under-fire.ts`: limits of every kind, and an agent that writes down when it lives. */
import type { Chance } from './chance.ts';

export interface Limits {
  readonly processes: number;
  readonly files: number;
  readonly plain: number;
  readonly batcher: number;
  /** Of the rule, whose agent is `plain`. */
  readonly narrow: number;
  /** Rates and budgets are in force. */
  readonly isBounded: boolean;
}

export const rationedPerMinute = 8;
export const ratedPerSecond = 12;

/** Folders of the root, each with a rule. */
export const places = ['plain', 'plain', 'narrow', 'batch', 'paid', 'rated', 'rationed', 'flaky'] as const;

export function limitsFrom(chance: Chance): Limits {
  return {
    processes: chance.int(1, 6),
    files: chance.int(2, 12),
    plain: chance.int(1, 4),
    batcher: chance.int(1, 2),
    narrow: chance.int(1, 3),
    isBounded: true,
  };
}

/** With which everything can end. */
export const lastLimits: Limits = {
  processes: 6,
  files: 12,
  plain: 6,
  batcher: 3,
  narrow: 6,
  isBounded: false,
};

/**
 * `agent.sh LOG NAME`: lines `B|T|E time pid agent rule generation files`. The first word of the file is how many
 * milliseconds it takes, the second whether it fails.
 */
export const agentScript = `
log=$1 agent=$2 list=("$SLUICE_FILE")
if [ "$agent" = batcher ]; then mapfile -d '' -t list < "$SLUICE_FILES"; fi
tell() { echo "$1 $EPOCHREALTIME $$ $agent $SLUICE_RULE $GENERATION \${#list[@]}" >> "$log"; }
tell B
read -r ms mode rest < "\${list[0]}"
sleep "0.0$((10 + ms / 2))"
tell T
sleep "0.0$((10 + ms / 2))"
case $mode in bad) code=1;; *) code=0;; esac
if [ "$agent" = flaky ]; then code=$((code + RANDOM % 3 / 2)); fi
if [ "$agent" = paid ]; then echo '{"type":"status","payload":{"cost_usd":0.01}}'; fi
echo "done \${#list[@]}"
tell E
exit $code
`;

/** @param generation Which configuration started an attempt: in the environment of each. */
export function configText(generation: number, limits: Limits): string {
  const agent = (name: string, ...more: readonly string[]): string =>
    [
      `  ${name}:`,
      '    kind: command',
      `    command: [bash, agent.sh, truth.log, ${name}]`,
      `    env: { GENERATION: "${generation}" }`,
      '    sandbox: { mode: off, reason: it writes down when it lives }',
      '    retry: { attempts: 3, initial: 50ms, max: 200ms }',
      ...more.map((line) => `    ${line}`),
    ].join('\n');
  const { isBounded } = limits;
  return `version: 1
routing_rules:
  - { name: batch, pattern: "batch/**", agent: batcher, batch: { max_files: 4, quiet: 60ms } }
  - { name: narrow, pattern: "narrow/**", agent: plain, max_load: ${limits.narrow} }
  - { name: paid, pattern: "paid/**", agent: paid }
  - { name: rated, pattern: "rated/**", agent: rated }
  - { name: rationed, pattern: "rationed/**", agent: rationed }
  - { name: flaky, pattern: "flaky/**", agent: flaky }
  - { name: plain, pattern: "**", agent: plain }
agents:
${agent('plain', `max_load: ${limits.plain}`)}
${agent('batcher', `max_load: ${limits.batcher}`)}
${agent('paid', 'max_load: 1', ...(isBounded ? ['budget: { usd_per_day: 0.12, unknown_cost: allow }'] : []))}
${agent('rated', ...(isBounded ? [`rate: ${ratedPerSecond}/s`] : []))}
${agent('rationed', ...(isBounded ? [`rate: ${rationedPerMinute}/min`] : []))}
${agent('flaky')}
concurrency_limits: { max_processes: ${limits.processes}, max_concurrent_files: ${limits.files} }
daemon: { min_free_disk: 1MiB, drain: 200ms }
`;
}

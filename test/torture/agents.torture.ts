/**
 * Agents that lie, hang, fork, flood, hide, and kill who started them, confined and not, among honest ones: each ends
 * as it should, the honest ones are served, and no process of any of them is left.
 */
import { expect, test } from 'vitest';
import type { Receipt } from '../../src/types/receipt.ts';
import { filesOf } from '../badinput/rig.ts';
import { makeProject, until } from '../daemon/project.ts';
import { marksOf, withArgument } from './marks.ts';
import { say, scaled, tell } from './say.ts';

interface Evil {
  /** For `sh`; `SLEEP` is a command that stays, with an argument by which it can be found. */
  readonly script: string;
  readonly end: Pick<Receipt, 'state' | 'reason'>;
  readonly rule?: string;
  /** Only who does not end by himself: on a busy machine the others take long, too. */
  readonly timeout?: string;
  /** What it may see differently when it is confined: it cannot reach who started it. */
  readonly confinedEnd?: Pick<Receipt, 'state' | 'reason'>;
}

const failed = (reason: NonNullable<Receipt['reason']>) => ({ state: 'failed', reason }) as const;
const succeeded = { state: 'succeeded' } as const;

const evils: Readonly<Record<string, Evil>> = {
  'says-it-is-done': {
    script: 'echo "I wrote review.json"',
    rule: 'expect: { outputs: [review.json] }',
    end: failed('missing_output'),
  },
  'says-success-and-fails': {
    script: 'echo \'{"type":"milestone","payload":{"text":"success"}}\'; exit 3',
    end: failed('exit_code'),
  },
  hangs: { script: 'trap "" TERM INT HUP; SLEEP; SLEEP', timeout: '1s', end: failed('timeout') },
  'stops-itself': { script: 'kill -STOP $$; SLEEP', timeout: '1s', end: failed('timeout') },
  'forks-away': { script: 'setsid env -i /bin/sh -c "(SLEEP &) &"; echo ok', end: succeeded },
  'forks-in-crowds': {
    script: 'n=0; while [ $n -lt 40 ]; do setsid SLEEP & n=$((n + 1)); done; echo ok',
    end: succeeded,
  },
  'deaf-grandchild': {
    script: 'setsid sh -c "trap : TERM INT HUP; while :; do SLEEP; done" & echo ok',
    end: succeeded,
  },
  floods: { script: 'yes "a line"', end: failed('limit_exceeded') },
  'floods-stderr': { script: 'yes "a line" >&2', end: failed('limit_exceeded') },
  'child-holds-stdout': { script: 'SLEEP & echo ok', end: succeeded },
  'closes-everything': { script: 'exec 0<&- 1>&- 2>&-; setsid SLEEP & exit 0', end: succeeded },
  'kills-its-group': { script: 'setsid SLEEP & kill -9 0', end: failed('exit_code') },
  // Who started an unconfined one is our helper: with it dies what runs, uncounted, five times.
  'kills-its-parent': {
    script:
      'setsid SLEEP & if [ "$PPID" -gt 1 ] && tr "\\0" "\\n" < /proc/$PPID/environ | grep -q ^SLUICE_SPAWNER=; then kill -9 $PPID; SLEEP; fi; exit 7',
    end: { state: 'held', reason: 'interrupted' },
    confinedEnd: failed('exit_code'),
  },
};

const HONEST = 30;

function config(isConfined: boolean, sleepFor: string): string {
  const sandbox = isConfined ? '{ mode: auto, write: [project] }' : '{ mode: off, reason: the worst case }';
  const agents = Object.entries(evils).map(
    ([name, { script, timeout = '1m' }]) => `  ${name}:
    kind: command
    command: [sh, -c, ${JSON.stringify(script.replaceAll('SLEEP', `/bin/sleep ${sleepFor}`))}]
    timeout: ${timeout}
    retry: { attempts: 1 }
    limits: { output: 1MiB }
    max_load: 1
    circuit_breaker: off
    sandbox: ${sandbox}`,
  );
  const rules = Object.entries(evils).map(
    ([name, { rule }]) =>
      `  - { name: ${name}, pattern: "${name}/**", agent: ${name}${rule ? `, ${rule}` : ''} }`,
  );
  return `
routing_rules:
${rules.join('\n')}
  - { name: honest, pattern: "honest/**", agent: honest }
agents:
${agents.join('\n')}
  honest: { kind: command, command: [cat, "\${{ file.path }}"], priority: 5, sandbox: { mode: off, reason: a plain one } }
concurrency_limits: { max_processes: 4, max_concurrent_files: 4 }
daemon: { min_free_disk: 1MiB }
`;
}

test.each([true, false])('agents that lie, hang, fork, flood and hide; confined: %s', async (isConfined) => {
  const beganMs = performance.now();
  const each = scaled(1);
  const sleepFor = `4000.${process.pid}${isConfined ? 1 : 2}`;
  const project = makeProject(config(isConfined, sleepFor));
  const names = [
    ...Object.keys(evils).flatMap((name) => Array.from({ length: each }, (_, n) => `${name}/${n}`)),
    ...Array.from({ length: HONEST }, (_, n) => `honest/${n}`),
  ];
  const daemon = await project.start();
  // What kills the helper comes when nothing else is there: whoever runs when it dies is interrupted too. Then honest ones.
  const waveOf = (name: string): number => {
    if (name.startsWith('kills-its-parent')) return 1;
    return /^honest.*[13579]$/.test(name) ? 2 : 0;
  };
  for (const wave of [0, 1, 2]) {
    for (const name of names.filter((one) => waveOf(one) === wave)) project.write(`inbox/${name}`, name);
    const expected = names.filter((one) => waveOf(one) <= wave).length;
    const isEnded = async (): Promise<boolean> =>
      [...(await filesOf(project)).values()].filter(({ disposition }) => disposition).length === expected;
    await until('each has ended', isEnded, 60_000 * each).catch(() => {});
  }
  const jobs = await project.client.get<{ jobs: Receipt[] }>('/api/jobs', { limit: 10_000 });
  const byPath = new Map(jobs.jobs.toReversed().map((job) => [job.input.path, job]));
  const wrong = names.flatMap((name) => {
    const evil = evils[name.slice(0, name.indexOf('/'))];
    const { state, reason, message } = byPath.get(name) ?? { state: 'unknown' };
    const end = (isConfined ? evil?.confinedEnd : undefined) ?? evil?.end ?? succeeded;
    return state === end.state && reason === ('reason' in end ? end.reason : undefined)
      ? []
      : [`${name}: ${state} ${reason} ${message}`];
  });
  const left = withArgument(sleepFor);
  daemon.kill('SIGTERM');
  const code = await daemon.exited;
  const orphans = left.length + withArgument(sleepFor).length + marksOf(project).length;
  tell({
    scenario: `agents that lie, hang, fork, flood, hide (${isConfined ? 'confined' : 'not confined'})`,
    runs: Object.keys(evils).length * each,
    files: names.length,
    lost: wrong.length,
    doubled: 0,
    orphans,
    beganMs,
  });
  say(`${Object.keys(evils).length} bad agents beside ${HONEST} honest files`, beganMs);
  expect({ wrong, orphans, code }).toEqual({ wrong: [], orphans: 0, code: 0 });
});

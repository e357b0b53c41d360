/** Every way in which a file can arrive, writers that take their time, and a kernel that has no watches left. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeProject, until } from '../daemon/project.ts';
import { arriveInAllWays } from './arrivals.ts';
import { ended, jobsOf, sha256 } from './rig.ts';

const cat = (root: string): string => `
watch: [${root}]
routing_rules: [{ name: all, pattern: "**", agent: work }]
agents: { work: { kind: command, command: [cat, "\${{ file.path }}"], retry: { attempts: 1 } } }
concurrency_limits: { max_processes: 2 }
daemon: { min_free_disk: 1MiB }
`;

test('200 files by every way in which files arrive: each ends once, with the content it has', async () => {
  await arriveInAllWays(200, 60_000);
});

/** Opens, appends a line and closes, 10 times, as loggers and scanners do; when, stands in a file elsewhere. */
const appender =
  'for n in $(seq 1 10); do echo "line $n" >> "$1"; date +%s%3N >> "times of ${1##*/}"; sleep "$2"; done';

/** How often a writer was stopped for so long that nobody can tell it from one that has ended. */
function longPauses(times: string, overMs: number): number {
  const at = times.trim().split('\n').map(Number);
  return at.filter((time, n) => time - (at[n - 1] ?? time) > overMs).length;
}

test.each([
  { settle: 'auto', pauses: ['0.1', '0.2', '0.4'] },
  { settle: '1s', pauses: ['0.1', '0.2'] },
])(
  'writers that open, append and close every $pauses s (settle: $settle): the last result is of the whole',
  async ({ settle, pauses }) => {
    const project = makeProject(cat(`{ path: ./inbox, settle: ${settle} }`));
    project.write('inbox/there before', 'line 0\n');
    const append = (name: string, pause: string) =>
      spawn('sh', ['-c', appender, 'sh', join(project.inbox, name), pause], {
        ...{ cwd: project.dir, stdio: 'ignore' },
      });
    const writers = pauses.map((pause) => append(`every ${pause}`, pause));
    const before = append('there before', '0.2');
    await project.start();
    await until('the writers have ended', () => [...writers, before].every(({ exitCode }) => exitCode === 0));
    const whole = Array.from({ length: 10 }, (_, n) => `line ${n + 1}\n`).join('');
    const wanted = new Map([
      ...pauses.map((pause): [string, string] => [`every ${pause}`, sha256(whole)]),
      ['there before', sha256(`line 0\n${whole}`)],
    ]);
    await until('each result is of the whole file', async () => {
      const files = await ended(project, wanted.size);
      return [...wanted].every(
        ([path, sum]) => files.get(path)?.sha256 === sum && project.receipt(path)?.input.sha256 === sum,
      );
    });
    for (const [path, sum] of wanted)
      expect([
        path,
        sha256(readFileSync(join(project.dir, 'processed/files/inbox', path, 'result.md'))),
      ]).toEqual([path, sum]);
    const attempts = Map.groupBy(await jobsOf(project), ({ input }) => input.path);
    // From the second close within 2 s on a quiet time is waited for that doubles: never one attempt for each append.
    for (const [path, jobs] of attempts) {
      const stops = longPauses(readFileSync(join(project.dir, `times of ${path}`), 'utf8'), 700);
      expect([path, jobs.length <= (settle === 'auto' ? 5 : 1) + stops]).toEqual([path, true]);
    }
  },
);

test('with the kernel’s watches used up everything is found all the same, and status says what to do', async (t) => {
  const limited = [
    'unshare',
    '--user',
    '--map-root-user',
    'sh',
    '-c',
    'echo 8 > /proc/sys/user/max_inotify_watches && exec "$@"',
    'sh',
  ];
  const probe = spawn('unshare', [...limited.slice(1), 'true'], { stdio: 'ignore' });
  const code = await new Promise((resolve) => probe.once('exit', resolve).once('error', resolve));
  if (code !== 0) return t.skip('no user namespace with a limit of its own can be made here');
  const project = makeProject(cat('{ path: ./inbox, mode: native, sweep: 2s }'), { wrapper: limited });
  for (let n = 0; n < 20; n++) project.write(`inbox/folder ${n}/before`, `${n}`);
  await project.start();
  await until('the limit is a condition', async () =>
    (await project.status()).conditions.some(
      ({ code, fix }) => code === 'WATCH_LIMIT' && fix.includes('max_user_watches'),
    ),
  );
  for (let n = 0; n < 20; n++) project.write(`inbox/folder ${n}/after`, `after ${n}`);
  project.write('inbox/new/deep/er', 'new');
  const files = await ended(project, 41);
  expect(new Set([...files.values()].map(({ disposition }) => disposition))).toEqual(new Set(['processed']));
});

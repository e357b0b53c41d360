import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { Example, lacks } from './example.ts';

const why = lacks('python3');

test.skipIf(why !== undefined)(`log-triage: counts, groups, alarms, remembers ${why ?? ''}`, async () => {
  const example = new Example('log-triage');
  const sample = await example.run('threshold=34');
  expect([sample.code, sample.states.alarm]).toEqual([0, 'skipped']);
  expect(sample.json.outputs).toEqual({ errors: 33, files: 4 });
  const page = sample.output('report', 'triage.html');
  expect(page).toContain('33 errors</strong> and');
  expect(page).toContain('37 warnings</strong> in 340 lines of 4 files');
  expect(page).toMatch(
    /<td class="n error">20<br><small>error<\/small><\/td>\s*<td><code>ERROR payment: order &lt;n&gt; refused by &lt;ip&gt;/,
  );
  expect(page).not.toContain('somebody should look');

  // In the state of the session, as steps and agents see it.
  const session = await example.call('sessions', 'show', sample.json.run_id);
  expect(session.stdout).toMatch(/errors.*33/);

  const lines = (n: number, text: string) => `${text}\n`.repeat(n);
  const long = gzipSync(
    Array.from({ length: 20_000 }, (_, n) => `2026-03-04 ERROR job ${n} of ${n * 7919}\n`).join(''),
  );
  example.write('logs/cut.log.gz', long.subarray(0, long.length / 2));
  example.write('logs/leer.log', '');
  example.write('logs/leer.log.gz', '');
  example.write('logs/not packed.log.gz', lines(3, '2026-03-05 ERROR plain'));
  example.write(
    'logs/-ü [1] "$(touch hacked)".log',
    lines(2, '{"level":"error","msg":"<script>alert(1)</script>"}'),
  );
  example.write('logs/zeile\numbruch.log.1', lines(1, 'WARN x'));
  example.write('logs/binary.log', Buffer.from([0, 255, 10, 254, 0x20, 0x45, 0x52, 0x52, 0x4f, 0x52, 10]));
  example.write('logs/one line.log', `ERROR ${'x'.repeat(300_000)}`);
  // A name that is no UTF-8.
  writeFileSync(
    Buffer.concat([
      Buffer.from(`${join(example.dir, 'logs')}/l`),
      Buffer.from([0xe4]),
      Buffer.from('rm.log'),
    ]),
    'ERROR a\n',
  );
  const second = await example.run();
  expect([second.code, second.json.state, second.hasReport]).toEqual([0, 'succeeded', true]);
  expect(second.items('scan')).toEqual({ succeeded: 9, cached: 4 });
  const hostile = second.output('report', 'triage.html');
  expect(hostile).toContain('That is 10 or more: somebody should look.');
  expect(hostile).toContain('1 files could be read in part only.');
  expect(hostile).toMatch(/cannot be unpacked beyond line \d{3,5}/);
  expect(hostile).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  expect(hostile).not.toContain('<script>');
  expect(hostile).toContain('<td>2026-03-05</td><td class="n error">3</td>');
  expect(example.read('alarms.log')).toMatch(/^\S+Z\t\d+ errors\t\/.*report\.html\n$/);
  expect(example.has('hacked')).toBe(false);

  const third = await example.run('folder=nirgends');
  expect(third.output('report', 'triage.html')).toContain('0 errors</strong>');
});

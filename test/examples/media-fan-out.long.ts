import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { deadLinks, Example, lacks } from './example.ts';

const why = lacks('python3');

test.skipIf(why !== undefined)(`media-fan-out: a run per file, one gallery ${why ?? ''}`, async () => {
  const example = new Example('media-fan-out');
  const media = (name: string) => join(example.dir, 'media', name);
  cpSync(media('door bell.wav'), media('deep/-ü "q" %d [1].wav'));
  cpSync(media('logo.gif'), media('logo as.jpg'));
  example.write('media/leer.mp4', '');
  example.write('media/kaputt.wav', 'RIFF\u0010\0\0\0WAVEfmt ');
  example.write('media/<b>$(touch hacked).txt', 'text');
  const run = await example.run();
  expect([run.code, run.json.state, run.hasReport]).toEqual([0, 'succeeded', true]);
  expect(run.items('files')).toEqual({ succeeded: 7, failed: 2 });
  const gallery = run.output('gallery', 'gallery.html');
  expect(gallery).toContain('9 files, <strong class="bad">2 of them damaged</strong>');
  expect(gallery).toContain('it is empty');
  expect(gallery).toContain('a WAV that cannot be read');
  expect(gallery).toContain('media/&lt;b&gt;$(touch hacked).txt');
  expect(gallery.match(/preview\.svg/g)).toHaveLength(2);
  expect(gallery.match(/<img /g)).toHaveLength(5);
  expect(deadLinks(join(run.dir, 'steps/gallery/outputs/gallery.html'))).toEqual([]);
  expect(example.has('hacked')).toBe(false);
  expect(run.json.outputs).toMatchObject({ files: 9 });

  // Only the two that failed are run again.
  cpSync(media('door bell.wav'), media('kaputt.wav'));
  cpSync(media('logo.gif'), media('leer.mp4'));
  const one = await example.call(
    'workflow',
    'run',
    'media-fan-out-file',
    '--input',
    'path=media/kaputt.wav',
    '--json',
  );
  expect([one.code, JSON.parse(one.stdout).outputs]).toMatchObject([
    0,
    { kind: 'audio', preview: 'preview.svg' },
  ]);
  const missing = await example.call('workflow', 'run', 'media-fan-out-file', '--json');
  expect(missing.code).toBe(2);
});

test.skipIf(why !== undefined)('media-fan-out: an empty folder', async () => {
  const example = new Example('media-fan-out');
  example.remove('media');
  const run = await example.run();
  expect(run.code).toBe(0);
  expect(run.output('gallery', 'gallery.html')).toContain('<p>0 files.</p>');
});

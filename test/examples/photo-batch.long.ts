import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { imageSize } from 'image-size';
import { expect, test } from 'vitest';
import { deadLinks, Example, found, lacks } from './example.ts';

const why = lacks('python3');
/** Asked for their version: other programs have these names as well. */
const tools = ['magick', 'convert', 'ffmpeg'].filter((tool) =>
  /ImageMagick \d|ffmpeg version/.test(spawnSync(tool, ['-version'], { encoding: 'utf8' }).stdout ?? ''),
);

function photos(): Example {
  const example = new Example('photo-batch');
  const photo = (name: string) => join(example.dir, 'photos', name);
  const jpeg = readFileSync(photo('shelf.jpg'));
  cpSync(photo('shelf.jpg'), photo('-resize 1x1 %d.JPG'));
  cpSync(photo('trip/logo.gif'), photo('trip/msl:ö "q" [0].gif'));
  example.write('photos/leer.png', '');
  example.write('photos/text.jpg', 'not a photo');
  example.write('photos/half ü.jpg', jpeg.subarray(0, jpeg.length / 2));
  example.write('photos/notes.txt', 'nobody asked for this');
  return example;
}

test.skipIf(why !== undefined)(`photo-batch without a program for pictures ${why ?? ''}`, async () => {
  const example = photos();
  const run = await example.run('tool=none');
  expect(run.code).toBe(0);
  expect(run.json.warnings).toHaveLength(1);
  expect(run.items('thumbnails')).toEqual({ succeeded: 5, failed: 3 });
  expect(run.json.outputs).toMatchObject({ photos: 8, failed: 3 });
  const sheet = run.output('contact_sheet', 'contact-sheet.html');
  expect(sheet).toContain('Neither ImageMagick nor ffmpeg is installed here');
  expect(sheet).toContain('photos/trip/msl:ö &#34;q&#34; [0].gif');
  for (const problem of ['is empty', 'is no photo', 'is a JPEG that is cut off'])
    expect(sheet).toContain(`>${problem}</div>`);
  const pictures = found(run.dir, 'steps/thumbnails/*/outputs/*');
  expect(pictures).toHaveLength(5);
  expect(sheet.match(/<img /g)).toHaveLength(5);
  expect(deadLinks(join(run.dir, 'steps/contact_sheet/outputs/contact-sheet.html'))).toEqual([]);

  const again = await example.run('tool=none');
  expect(again.items('thumbnails')).toEqual({ cached: 5, failed: 3 });
});

const programs = tools.filter((tool) => tool !== 'magick');
const none = programs.length === 0 ? '(neither ImageMagick nor ffmpeg is installed)' : '';
test.skipIf(why !== undefined || none !== '')(
  `photo-batch by ${programs.join(' and ')} ${none}`,
  async () => {
    const example = photos();
    for (const tool of programs) {
      const run = await example.run(`tool=${tool}`, 'size=64');
      expect(run.items('thumbnails')).toEqual({ succeeded: 5, failed: 3 });
      const thumbs = found(run.dir, 'steps/thumbnails/*/outputs/thumb.jpg');
      expect(thumbs).toHaveLength(5);
      for (const thumb of thumbs) {
        const { width, height, type } = imageSize(readFileSync(join(run.dir, thumb)));
        expect(type).toBe('jpg');
        expect(Math.max(width, height)).toBeLessThanOrEqual(64);
      }
    }
  },
);

test.skipIf(why !== undefined)('photo-batch: no photos, and a program that is not there', async () => {
  const example = new Example('photo-batch');
  example.remove('photos');
  const run = await example.run('tool=none');
  expect(run.code).toBe(0);
  expect(run.output('contact_sheet', 'contact-sheet.html')).toContain('<p>0 photos.');
  if (!tools.includes('magick')) {
    const missing = await example.run('tool=magick');
    expect([missing.code, missing.states.thumbnails]).toEqual([1, 'skipped']);
  }
});

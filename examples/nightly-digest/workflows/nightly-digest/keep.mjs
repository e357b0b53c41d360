// keep.mjs RUN_FOLDER DIGESTS: today's page and text to DIGESTS/<day>.html and .md, and a line for the days to come.
// Again on the same day: the later one stands. Node 18 or newer.
import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const [run, digests] = process.argv.slice(2);
const { days } = JSON.parse(readFileSync(join(run, 'steps/collect/result.md'), 'utf8'));
const { day, total, failed } = days.at(-1);

// Links of the page lead from its place in the run to the output folder; from here it is another way.
const way = relative(digests, join(run, '../../..')).split('/').map(encodeURIComponent).join('/');

mkdirSync(digests, { recursive: true });
for (const [step, extension] of [
  ['page', 'html'],
  ['text', 'md'],
]) {
  const target = join(digests, `${day}.${extension}`);
  // By rename: who opens it meanwhile sees the old one or the new one, whole.
  const made = readFileSync(join(run, 'steps', step, 'outputs', `digest.${extension}`), 'utf8');
  writeFileSync(`${target}.part`, made.replaceAll('"../../../../../../', `"${way}/`));
  renameSync(`${target}.part`, target);
}
appendFileSync(join(digests, 'history.jsonl'), `${JSON.stringify({ day, total, failed })}\n`);
console.log(join(digests, `${day}.html`));

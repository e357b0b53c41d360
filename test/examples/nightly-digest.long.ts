import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { deadLinks, Example, lacks } from './example.ts';

const why = lacks('python3', 'node');

test.skipIf(why !== undefined)(
  `nightly-digest: files and runs of the last day on one page ${why ?? ''}`,
  async () => {
    const posts: string[] = [];
    const server = createServer(async (request, response) => {
      posts.push(await text(request));
      response.end();
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;

    const example = new Example('nightly-digest');
    const empty = await example.run();
    expect([empty.code, empty.states.send]).toEqual([0, 'skipped']);
    expect(empty.output('text', 'digest.md')).toContain('# 0 files and 0 runs, no failures, $0.00');

    example.write('inbox/-ä "q" <b> #1 100%.json', '{');
    example.write('inbox/leer.json', '');
    example.write('inbox/leer.txt', '');
    expect((await example.call('run')).code).toBe(1);
    // A file of somebody else, one that is torn, and a link that leads in a circle.
    example.write('processed/files/inbox/strange/receipt.json', '[1, 2]');
    example.write('processed/files/inbox/torn/receipt.json', '{"schema": 1, "job_id": "a');
    example.write(
      'workflows/other.yaml',
      'name: other & more\nsteps: [{ name: no, type: custom_command, command: [cat, /nirgends] }]\n',
    );
    expect((await example.call('workflow', 'run', 'other & more')).code).toBe(1);
    example.write(
      'digests/history.jsonl',
      '{"day":"2026-01-01","total":4,"failed":0}\nbroken\n{"day":"2026-01-02","total":8,"failed":2}\n',
    );

    const run = await example.run(`webhook=http://127.0.0.1:${port}/hook`);
    expect([run.code, run.states.send]).toEqual([0, 'succeeded']);
    const headline = '6 files and 1 run, 4 failures, $0.00';
    expect(posts.map((post) => JSON.parse(post))).toEqual([{ text: headline }]);
    const [day] = example.list('digests').filter((name) => name.endsWith('.html'));
    expect(day).toMatch(/^\d{4}-\d\d-\d\d\.html$/);
    const page = example.read(`digests/${day}`);
    expect(page).toContain(`<h1>${headline}</h1>`);
    expect(page).toContain('inbox/-ä &#34;q&#34; &lt;b&gt; #1 100%.json');
    expect(page).toContain('2026-01-02: 8, 2 failed');
    expect(page).toContain('other &amp; more');
    expect(page).toContain('1 receipts or reports could not be read');
    expect(deadLinks(join(example.dir, 'digests', day as string))).toEqual([]);
    expect(deadLinks(join(run.dir, 'steps/page/outputs/digest.html'))).toEqual([]);
    expect(example.read(`digests/${day?.replace('html', 'md')}`)).toMatch(/\| parse-json \| 4 \| 3 \| 0 \|/);

    // A chat that is down is a warning; and a week back is more than a day.
    server.close();
    example.write(
      'workflows/nightly-digest.yaml',
      example.read('workflows/nightly-digest.yaml').replace('initial: 10s', 'initial: 10ms'),
    );
    const down = await example.run('webhook=http://127.0.0.1:1/', 'hours=0');
    expect([down.code, down.json.state, down.states.send]).toEqual([0, 'succeeded', 'failed']);
    expect(down.output('text', 'digest.md')).toContain('# 0 files and 0 runs');
  },
);

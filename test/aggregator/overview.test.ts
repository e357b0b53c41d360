import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { folderHref, html } from '../../src/aggregator/overview/html.ts';
import { type OverviewModel, toHistogram } from '../../src/aggregator/overview/model.ts';
import { costText, durationText, timeText } from '../../src/aggregator/overview/words.ts';
import { createRig, type Rig } from './rig.ts';

test('what is put into a template is text; what a template made is not', () => {
  const hostile = `<img src=x onerror="alert(1)">'&`;
  expect(
    html`<p title="${hostile}">${hostile}${html`<b>${1}</b>`}${[html`<i>`, undefined, false]}</p>`.text,
  ).toBe(
    '<p title="&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&#39;&amp;">&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&#39;&amp;<b>1</b><i></p>',
  );
});

test.each([
  ['a b', 'a%20b/'],
  ['%2e%2e', '%252e%252e/'],
  ['x?y#z', 'x%3Fy%23z/'],
  ['javascript:alert(1)', 'javascript%3Aalert(1)/'],
  ['a\nb', 'a%0Ab/'],
  ['\ud800', '%EF%BF%BD/'],
  ['"><script>', '%22%3E%3Cscript%3E/'],
])('a link to %j is %s', (name, href) => expect(folderHref([name])).toBe(href));

test.each([
  [0, '0 ms'],
  [999.6, '1 s'],
  [1000, '1 s'],
  [1449, '1.4 s'],
  [9960, '10 s'],
  [60_000, '1 min'],
  [185_000, '3 min 5 s'],
  [7_800_000, '2 h 10 min'],
])('%d ms reads %s', (ms, text) => expect(durationText(ms)).toBe(text));

test('costs and times', () => {
  expect([0, 0.0042, 0.5, 12.345, 1234].map(costText)).toEqual([
    '$0.00',
    '$0.0042',
    '$0.50',
    '$12.35',
    '$1,234.00',
  ]);
  expect(timeText('2026-11-20T10:31:07.000Z', '2026-11-21T00:00:00Z')).toBe('20 Nov, 10:31');
  expect(timeText('2025-01-02T10:31:07.000Z', '2026-11-21T00:00:00Z')).toBe('2 Jan 2025, 10:31');
});

test('durations fall into steps that people know', () => {
  const bins = toHistogram([0, 9, 10, 29, 3_599_999, 3_600_000, 1e9]).filter(({ jobs }) => jobs > 0);
  expect(bins).toEqual([
    { below_ms: 10, jobs: 2 },
    { below_ms: 30, jobs: 2 },
    { below_ms: 3_600_000, jobs: 1 },
    { below_ms: null, jobs: 2 },
  ]);
});

const hostileNames = [
  '<img src=x onerror=document.title="owned">.txt',
  '"><script>document.title="owned"</script>',
  "'onmouseover='x",
  'javascript:alert(1)',
  'a b%2e%2e#?&.txt',
  'line\nbreak',
  '\u202egnp.exe',
  '\uef80\uefff',
  '%2e%2e/x',
  `${'long'.repeat(60)}.txt`,
];

async function fill(rig: Rig): Promise<void> {
  await using aggregator = rig.start();
  for (const [i, name] of hostileNames.entries()) {
    const end = { reason: 'exit_code', message: `failed with ${name}`, fix: `Run \`fix ${name}\`.` } as const;
    const { job, workDir } = await rig.endJob(
      `d/${name}`,
      { result: `result of ${name}` },
      i % 3 === 2 ? { state: 'failed', end } : {},
    );
    await aggregator.publish(job, workDir);
  }
}

test('the overview has totals, the latest results, and the failures that still stand', async () => {
  await using rig = createRig();
  await fill(rig);
  await using aggregator = rig.start();
  const read = (): OverviewModel => JSON.parse(readFileSync(join(rig.output, 'index.json'), 'utf8'));
  expect(read()).toMatchObject({
    schema: 1,
    totals: { jobs: 10, succeeded: 7, failed: 3 },
    days: expect.objectContaining({ length: 30 }),
  });
  expect(read().days.at(-1)).toMatchObject({ day: '2026-11-20', succeeded: 7, failed: 3 });
  expect(read().latest.map(({ path }) => path)).toEqual(hostileNames.map((name) => `d/${name}`).reverse());
  const failed = read().failures.map(({ path }) => path);
  expect(failed).toHaveLength(3);

  const again = await rig.endJob(failed[0] ?? '', { result: 'good now' });
  await aggregator.publish(again.job, again.workDir);
  await aggregator.flush();
  expect(read().failures.map(({ path }) => path)).toEqual(failed.slice(1));
  // Its earlier row has no link any more: what it would lead to is the newer result.
  expect(read().latest.filter(({ path, href }) => path === failed[0] && href !== undefined)).toHaveLength(1);
});

test('the overview is written at most once a second, and at the end', async () => {
  await using rig = createRig();
  const aggregator = rig.start();
  const index = join(rig.output, 'index.html');
  const inodes = new Set<number>();
  const began = performance.now();
  while (performance.now() < began + 300) {
    const { job, workDir } = await rig.endJob('a', { result: 'r' });
    await aggregator.publish(job, workDir);
    if (existsSync(index)) inodes.add(statSync(index).ino);
  }
  expect(inodes.size).toBeLessThanOrEqual(1 + Math.floor((performance.now() - began) / 1_000));
  await aggregator[Symbol.asyncDispose]();
  expect(JSON.parse(readFileSync(join(rig.output, 'index.json'), 'utf8')).totals.jobs).toBe(rig.clock.jobs);
});

test('a link planted as index.html is replaced, not written through', async () => {
  await using rig = createRig();
  await fill(rig);
  for (const name of ['index.html', '.index.html.tmp']) {
    await using aggregator = rig.start();
    execFileSync('rm', ['-f', join(rig.output, name)]);
    symlinkSync(join(rig.dir, 'outside'), join(rig.output, name));
    aggregator.scheduleOverview();
    await aggregator.flush();
    expect(existsSync(join(rig.dir, 'outside'))).toBe(false);
  }
});

const chromium = '/usr/bin/chromium';
test.skipIf(!existsSync(chromium))(
  'in a browser, from disk (skipped where /usr/bin/chromium is missing)',
  async () => {
    await using rig = createRig();
    await fill(rig);
    const { chromium: browserType } = await import('playwright-core');
    const quiet = ['gpu', 'quic', 'background-networking', 'component-update', 'sync'].map(
      (name) => `--disable-${name}`,
    );
    const browser = await browserType.launch({
      executablePath: chromium,
      args: ['--headless', '--no-sandbox', '--no-first-run', ...quiet],
    });
    try {
      for (const colorScheme of ['light', 'dark'] as const) {
        for (const width of [1200, 360]) {
          const page = await browser.newPage({ colorScheme, viewport: { width, height: 800 } });
          const noise: string[] = [];
          page.on('console', (message) => noise.push(message.text()));
          page.on('pageerror', (error) => noise.push(String(error)));
          page.on('request', (request) => !/^(file|data):/.test(request.url()) && noise.push(request.url()));
          await page.goto(pathToFileURL(join(rig.output, 'index.html')).href);
          expect(noise).toEqual([]);
          expect(await page.title()).toBe('7 files processed, 3 failed · Sluice');
          expect(await page.locator('script, img, iframe, [onerror], [onmouseover]').count()).toBe(0);
          expect(
            await page.evaluate('document.documentElement.scrollWidth - innerWidth'),
            'horizontal scroll',
          ).toBe(0);
          expect(await lowContrast(page), `${colorScheme} ${width}`).toEqual([]);
          expect(
            await page
              .locator('table:not(:has(caption)), svg[role=img]:not([aria-label]):not([aria-labelledby])')
              .count(),
          ).toBe(0);
          await page.close();
        }
      }
      const page = await browser.newPage();
      const overview = pathToFileURL(join(rig.output, 'index.html')).href;
      await page.goto(overview);
      const links: string[] = [];
      for (const link of await page.locator('.latest a').all())
        links.push(new URL((await link.getAttribute('href')) ?? '', overview).href);
      expect(links).toHaveLength(hostileNames.length);
      for (const link of links) {
        await page.goto(`${link}result.md`).catch((error) => expect(String(error)).toContain('Download'));
        expect(existsSync(new URL(`${link}receipt.json`)), link).toBe(true);
      }
    } finally {
      await browser.close();
    }
  },
);

/** Texts whose contrast with what is behind them is below 4.5:1. */
function lowContrast(page: Page): Promise<unknown> {
  return page.evaluate(`(() => {
    const rgb = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
    const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
      .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = (el) => { const c = rgb(getComputedStyle(el).backgroundColor); return c.length === 4 && c[3] === 0 ? behind(el.parentElement) : c; };
    return [...document.querySelectorAll('body :not(title)')].filter((el) => [...el.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
      .map((el) => { const style = getComputedStyle(el); const front = luminance(rgb(el.namespaceURI.endsWith('svg') ? style.fill : style.color)); const back = luminance(behind(el));
        return [el.className.baseVal ?? el.className, (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05)]; })
      .filter(([, ratio]) => !(ratio >= 4.5));
  })()`);
}

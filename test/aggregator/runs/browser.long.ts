/** The page as people see it: in a real browser, from disk. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunFacts } from '../../../src/aggregator/runs/facts.ts';
import { runReport } from '../../../src/aggregator/runs/model.ts';
import { runPage } from '../../../src/aggregator/runs/page.ts';
import type { StepRecord } from '../../../src/types/run.ts';
import { createRig } from '../rig.ts';
import { hostileNames } from './hostile.ts';
import { createRun, endRun, endStep } from './ledger-run.ts';
import { chain, fanOut, fullRun, grid, runFacts, sampleReview, t0 } from './samples.ts';

const chromium = '/usr/bin/chromium';
const withBrowser = test.skipIf(!existsSync(chromium));
const dir = mkdtempSync(join(tmpdir(), 'sluice-run-page-'));
let browser: Browser;

beforeAll(async () => {
  if (!existsSync(chromium)) return;
  const { chromium: browserType } = await import('playwright-core');
  const quiet = ['gpu', 'quic', 'background-networking', 'component-update', 'sync'].map(
    (name) => `--disable-${name}`,
  );
  browser = await browserType.launch({
    executablePath: chromium,
    args: ['--headless', '--no-sandbox', '--no-first-run', ...quiet],
    timeout: 120_000,
  });
});
afterAll(async () => {
  await browser?.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Every state at once, with names that would rather be markup. */
function hostileRun(): RunFacts {
  const states = ['succeeded', 'failed', 'skipped', 'cached', 'waiting', 'running', 'cancelled'] as const;
  const item = (name: string, index: number): StepRecord => ({
    runId: 'r',
    id: `x[${index}]`,
    name: 'x',
    index,
    item: name,
    state: index % 2 ? 'failed' : 'succeeded',
    reason: 'exit_code',
    message: name,
    startedAt: t0 + index * 100,
    endedAt: t0 + index * 100 + 90,
    jobId: `j${index}`,
  });
  return runFacts(
    hostileNames.map((name, i) => ({
      name,
      ...(i > 2 && i % 3 === 0 && { needs: [hostileNames[i - 3] as string, hostileNames[i - 1] as string] }),
      state: states[i % states.length] ?? 'failed',
      at: [i, i + 1.5] as const,
      record: {
        message: name,
        fix: `Run \`${name}\`.`,
        reason: i % 4 === 0 ? 'condition' : name,
        result: `${name}\n`.repeat(3),
      },
      config: { if: name, continueOnError: i % 8 === 1 },
      job: {
        agent: name,
        usage: { input_tokens: 1000 * i, cache_read_tokens: 0, cache_write_tokens: 0, output_tokens: 10 },
        costUsd: i / 100,
      },
      facts: {
        tails: [{ title: 'Last lines of its errors', text: name }],
        reviews: [sampleReview(1, name, { isRevised: true }), sampleReview(2, name)],
        ...(i === 3 && {
          items: {
            total: 24,
            counts: { succeeded: 12, failed: 12 },
            shown: hostileNames.map((label, at) => ({
              record: item(label, at),
              tails: [{ title: 'Last lines', text: label }],
            })),
          },
        }),
      },
    })),
    {
      workflow: hostileNames[4],
      state: 'failed',
      message: hostileNames[0],
      inputs: Object.fromEntries(hostileNames.map((name) => [name, name])),
      outputs: { list: [...hostileNames] },
      warnings: [...hostileNames],
      trigger: { kind: 'manual', who: hostileNames[1] },
    },
    { definition: { description: hostileNames[6] } },
  );
}

function waitingRun(): RunFacts {
  return runFacts(
    [
      { name: 'build', state: 'succeeded', at: [0, 4] },
      {
        name: 'ship it?',
        type: 'approval',
        needs: ['build'],
        state: 'waiting',
        at: [4],
        record: { message: 'Ship it?', waitUntil: t0 + 1e8 },
      },
      { name: 'watch', needs: [], state: 'running', at: [1] },
      { name: 'ship', needs: ['ship it?'] },
    ],
    { state: 'waiting' },
  );
}

const samples: readonly (readonly [string, () => RunFacts])[] = [
  ['full', fullRun],
  ['hostile', hostileRun],
  ['waiting', waitingRun],
  ['fan-out', () => fanOut(1000, (n) => (n % 250 === 3 ? 'failed' : 'succeeded'))],
  ['layers', () => grid(32, 32)],
  ['wide', () => grid(5, 5)],
  ['chain', () => chain(12)],
  ['nothing', () => runFacts([], { state: 'failed', reason: 'invalid', message: 'no steps' })],
];

withBrowser.each(samples)(
  'the report "%s": light and dark, wide, narrow and printed',
  async (name, facts) => {
    const report = runReport(facts(), '/out');
    const file = join(dir, `${name}.html`);
    writeFileSync(file, runPage(report));
    const views = [
      ['light', 1200],
      ['dark', 360],
      ['dark', 1200],
      ['light', 360],
    ] as const;
    // The first two show most; all four where there is most to be seen.
    for (const [colorScheme, width] of ['full', 'hostile'].includes(name) ? views : views.slice(0, 2)) {
      const where = `${colorScheme} ${width}`;
      const page = await browser.newPage({ colorScheme, viewport: { width, height: 800 } });
      const noise = listen(page);
      await page.goto(pathToFileURL(file).href);
      expect(
        await page.evaluate('document.documentElement.scrollWidth - innerWidth'),
        `${where}: horizontal scroll`,
      ).toBe(0);
      expect(await page.evaluate(lowContrast), `${where}: contrast`).toEqual([]);
      expect(await page.evaluate(outsideBoxes), `${where}: texts in boxes`).toEqual([]);
      expect(await page.evaluate(overlappingTexts), `${where}: texts over one another`).toEqual([]);
      if (width === 1200 && colorScheme === 'light') {
        expect(await page.title()).not.toBe('owned');
        expect(
          await page
            .locator(
              'script, img, iframe, object, embed, link[rel=stylesheet], [onerror], [onmouseover], [onload]',
            )
            .count(),
        ).toBe(0);
        expect(await page.evaluate(untold), 'pictures and tables have names').toEqual([]);
        expect(await page.evaluate(headingJumps)).toEqual([]);
        expect(
          await page.evaluate(
            '[...document.querySelectorAll("a")].map((a) => a.getAttribute("href")).filter((href) => /^\\w+:|^\\/\\//.test(href))',
          ),
        ).toEqual([]);
        expect(
          await page.evaluate(
            'document.querySelectorAll("[id]").length - new Set([...document.querySelectorAll("[id]")].map((el) => el.id)).size',
          ),
        ).toBe(0);
      }
      expect(noise, where).toEqual([]);
      await page.close();
    }
    const page = await browser.newPage({ viewport: { width: 720, height: 1000 }, colorScheme: 'dark' });
    await page.emulateMedia({ media: 'print' });
    await page.goto(pathToFileURL(file).href);
    expect(
      await page.evaluate('document.documentElement.scrollWidth - innerWidth'),
      'printed: wider than the paper',
    ).toBe(0);
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)');
    expect(await page.evaluate(lowContrast), 'printed').toEqual([]);
    if (name === 'full') expect((await page.pdf({ format: 'A4' })).subarray(0, 5).toString()).toBe('%PDF-');
    await page.close();
  },
);

withBrowser('every link of a published run leads to a file', async () => {
  await using rig = createRig();
  await using aggregator = rig.start();
  const workflow = 'a "quoted" <b> & 100% #1?';
  const parent = await createRun(rig, 'r0', [{ name: 'call', type: 'workflow' } as never], {
    workflow: 'caller',
  });
  const names = hostileNames.filter((name) => !name.includes('/') && name.isWellFormed()).slice(0, 12);
  const run = await createRun(
    rig,
    'r1',
    [...names.map((name) => ({ name })), { name: 'all', type: 'file_processing' } as never],
    { workflow, trigger: { kind: 'workflow', runId: 'r0', step: 'call' } },
  );
  for (const [i, name] of names.entries()) {
    const { job, workDir } = await endStep(rig, run, name, {
      result: 'said',
      ...(i === 1 && { end: { state: 'failed' as const, reason: 'exit_code' as const } }),
    });
    await aggregator.publish(job, workDir);
  }
  const { job, workDir } = await rig.endJob('x?y#z/ä "b".txt', { result: 'r' });
  await aggregator.publish(job, workDir);
  await rig.ledger.runs.addFiles('r1', 'all', [job.id]);
  await rig.ledger.runs.putStep({
    runId: 'r1',
    id: 'all',
    name: 'all',
    state: 'succeeded',
    counts: { processed: 1, total: 1 },
    startedAt: 1,
    endedAt: 2,
  });
  await endRun(rig, run, { state: 'failed' });
  await endRun(rig, parent);
  for (const id of ['r0', 'r1']) await aggregator.publishRun(id);
  await aggregator.flush();
  const page = await browser.newPage();
  for (const from of [join(aggregator.runFolder(run), 'report.html'), join(rig.output, 'index.html')]) {
    await page.goto(pathToFileURL(from).href);
    const links = (await page.evaluate('[...document.querySelectorAll("a")].map((a) => a.href)')) as string[];
    expect(links.length).toBeGreaterThan(1);
    for (const link of links) expect(existsSync(new URL(link)), link).toBe(true);
  }
  await page.goto(pathToFileURL(join(rig.output, 'index.html')).href);
  await page.getByRole('table', { name: 'Runs of workflows' }).getByRole('link').click();
  expect(await page.title()).toBe('caller succeeded · Sluice');
  await page.close();
});

function listen(page: Page): string[] {
  const noise: string[] = [];
  page.on('console', (message) => noise.push(message.text()));
  page.on('pageerror', (error) => noise.push(String(error)));
  page.on('request', (request) => !/^(file|data):/.test(request.url()) && noise.push(request.url()));
  return noise;
}

/** Texts whose contrast with what is behind them is below 4.5:1: the box they stand in, else the nearest ground. */
const lowContrast = `(() => {
  const rgb = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (el) => { if (el === null) return [255, 255, 255]; const card = el.closest('.box')?.querySelector('.card'); if (card) return rgb(getComputedStyle(card).fill);
    const c = rgb(getComputedStyle(el).backgroundColor); return c.length === 4 && c[3] === 0 ? behind(el.parentElement) : c; };
  return [...document.querySelectorAll('body :not(title)')].filter((el) => el.checkVisibility() && [...el.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
    .map((el) => { const style = getComputedStyle(el); const front = luminance(rgb(el.namespaceURI.endsWith('svg') ? style.fill : style.color)); const back = luminance(behind(el));
      return [el.tagName, el.className.baseVal ?? el.className, (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05)]; })
    .filter(([,, ratio]) => !(ratio >= 4.5));
})()`;

/** Texts of the picture that reach out of their box or under its sign. */
const outsideBoxes = `[...document.querySelectorAll('.box')].filter((box) => box.checkVisibility()).flatMap((box) => {
  const card = box.querySelector('.card').getBoundingClientRect(); const sign = box.querySelector('.sign-of').getBoundingClientRect();
  return [...box.querySelectorAll('text')].filter((text) => text.textContent !== '').filter((text) => { const t = text.getBoundingClientRect();
    return t.right > card.right || t.top < card.top - 1 || t.bottom > card.bottom + 1 || t.left < sign.right; }).map((text) => text.textContent); })`;

/** Texts of pictures that lie over one another. */
const overlappingTexts = `(() => { const texts = [...document.querySelectorAll('svg text')].filter((t) => t.checkVisibility() && t.textContent !== '').map((t) => [t.textContent, t.getBoundingClientRect()]);
  return texts.flatMap(([a, p], i) => texts.slice(i + 1).filter(([, q]) => p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 3 && q.top < p.bottom - 3).map(([b]) => a + ' / ' + b)); })()`;

/** Pictures without a text that stands for them, tables without a caption. */
const untold = `[...document.querySelectorAll('svg:not([aria-hidden]):not([aria-hidden] svg):not(svg svg), table')].filter((el) =>
  el.tagName === 'TABLE' ? !el.caption : !(el.getAttribute('role') === 'img' && (el.ariaLabel || el.getAttribute('aria-labelledby')))).map((el) => el.outerHTML.slice(0, 120))`;

/** Headings that skip a level. */
const headingJumps = `[...document.querySelectorAll('h1, h2, h3, h4')].map((h) => Number(h.tagName[1])).filter((level, i, all) => level > (all[i - 1] ?? 0) + 1)`;

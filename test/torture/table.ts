/** The reporter of `npm run torture`: one table after all tests, with a line for each scenario. */
import type { Reporter, TestModule } from 'vitest/node';
import type { PrintedRow } from './say.ts';

const heads = ['scenario', 'runs', 'files', 'lost', 'doubled', 'orphans', 'seconds', ''];

export default class TableReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines = modules.flatMap((module) =>
      [...module.children.allTests()].flatMap((test) => {
        const { state } = test.result();
        const { row } = test.meta();
        if (state === 'passed') return row ? [cells(row, '')] : [];
        return [
          row ? cells(row, state.toUpperCase()) : [test.name, ...Array(6).fill('-'), state.toUpperCase()],
        ];
      }),
    );
    if (lines.length === 0) return;
    const widths = heads.map((head, at) =>
      Math.max(...[heads, ...lines].map((line) => line[at]?.length ?? 0), head.length),
    );
    const print = (line: readonly string[]): string =>
      line
        .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
        .join('  ');
    process.stdout.write(`\n${[heads, ...lines].map(print).join('\n')}\n`);
  }
}

function cells(row: PrintedRow, verdict: string): string[] {
  const { scenario, runs, files, lost, doubled, orphans, seconds } = row;
  return [
    scenario,
    ...[runs, files, lost, doubled, orphans].map((n) => String(n ?? '-')),
    seconds.toFixed(1),
    verdict,
  ];
}

/**
 * Routing: 100,000 paths with 10,000 rules against the same with 100 rules, and against picomatch asked rule by rule.
 * `node bench/routing.ts [rounds]` prints the ratios; `measureRouting` gives them to a runner.
 */
import picomatch from 'picomatch';
import type { RuleConfig } from '../src/config/config.ts';
import { createRouter } from '../src/router/router.ts';

export interface RoutingFigures {
  readonly paths: number;
  /** Medians over the rounds, which take the three in turn. */
  readonly pathsPerSecond: {
    readonly rules100: number;
    readonly rules10000: number;
    readonly linear100: number;
    readonly linear10000: number;
  };
  /** 10,000 rules over 100 rules; the goal is 0.5 or more. */
  readonly ratioOfRates: number;
  readonly speedUpOverLinear: number;
  /** Index of 10,000 rules, without the patterns, which are compiled when first needed. */
  readonly createMs: number;
  /** Share of the paths that some rule takes. */
  readonly matched: number;
  /** Paths for which the index and the linear scan chose differently: 0, or it is a fault. */
  readonly differences: number;
}

export function measureRouting({ paths: count = 100_000, rounds = 5 } = {}): RoutingFigures {
  const random = createRandom(42);
  const few = { rules: rulesOf(100, random), paths: [] as string[] };
  const many = { rules: rulesOf(10_000, random), paths: [] as string[] };
  for (let n = 0; n < count; n += 1) {
    few.paths.push(pathOf(100, random));
    many.paths.push(pathOf(10_000, random));
  }
  const started = performance.now();
  const manyRouter = createRouter(many.rules);
  const createMs = performance.now() - started;
  const fewRouter = createRouter(few.rules);
  const [fewLinear, manyLinear] = [linear(few.rules), linear(many.rules)];
  // The linear scan takes milliseconds a path: it gets a share of them, evenly picked.
  const sample = (paths: readonly string[], share: number) => paths.filter((_, n) => n % share === 0);
  const [fewSample, manySample] = [sample(few.paths, 10), sample(many.paths, 200)];

  let differences = 0;
  for (const path of fewSample) if (fewRouter.route(path) !== fewLinear(path)) differences += 1;
  for (const path of manySample) if (manyRouter.route(path) !== manyLinear(path)) differences += 1;
  const matched = many.paths.filter((path) => manyRouter.route(path) !== undefined).length / count;

  const rates = {
    rules100: [] as number[],
    rules10000: [] as number[],
    linear100: [] as number[],
    linear10000: [] as number[],
  };
  for (let round = 0; round < rounds; round += 1) {
    rates.rules100.push(rateOf(few.paths, fewRouter.route));
    rates.rules10000.push(rateOf(many.paths, manyRouter.route));
    rates.linear100.push(rateOf(fewSample, fewLinear));
    if (round < 3) rates.linear10000.push(rateOf(manySample, manyLinear));
  }
  const pathsPerSecond = {
    rules100: median(rates.rules100),
    rules10000: median(rates.rules10000),
    linear100: median(rates.linear100),
    linear10000: median(rates.linear10000),
  };
  return {
    paths: count,
    pathsPerSecond,
    // Of neighbours in time: a machine that is busy for a while slows both.
    ratioOfRates: median(rates.rules10000.map((rate, round) => rate / (rates.rules100[round] as number))),
    speedUpOverLinear: pathsPerSecond.rules10000 / pathsPerSecond.linear10000,
    createMs,
    matched,
    differences,
  };
}

export function formatRouting(figures: RoutingFigures): string {
  const { pathsPerSecond: rate } = figures;
  const number = (value: number) => Math.round(value).toLocaleString('en-US');
  return [
    `routing ${number(figures.paths)} paths, ${(figures.matched * 100).toFixed(0)} % of which a rule takes`,
    `  100 rules     ${number(rate.rules100)} paths/s   (picomatch rule by rule: ${number(rate.linear100)})`,
    `  10,000 rules  ${number(rate.rules10000)} paths/s   (picomatch rule by rule: ${number(rate.linear10000)})`,
    `  10,000 rules against 100: ${figures.ratioOfRates.toFixed(2)} of the rate (goal 0.50)`,
    `  against rule by rule: ${number(figures.speedUpOverLinear)} times; ${figures.differences} different answers`,
    `  index of 10,000 rules built in ${figures.createMs.toFixed(0)} ms`,
  ].join('\n');
}

function rateOf(paths: readonly string[], route: (path: string) => unknown): number {
  const started = performance.now();
  for (const path of paths) route(path);
  return (paths.length / (performance.now() - started)) * 1000;
}

function linear(rules: readonly RuleConfig[]): (path: string) => RuleConfig | undefined {
  const compiled = rules.map((rule) => ({
    rule,
    matches: picomatch([...rule.patterns], { dot: true, flags: 's' }),
  }));
  return (path) => compiled.find(({ matches }) => matches(path))?.rule;
}

const extensions = [
  'py',
  'ts',
  'js',
  'md',
  'pdf',
  'json',
  'csv',
  'txt',
  'yaml',
  'log',
  'docx',
  'html',
  'go',
  'rs',
  'png',
];
const folders = ['src', 'docs', 'data', 'tests', 'inbox', 'reports', 'lib', 'assets'];
/** Rules that apply to whole trees, as every project has some; they come last. */
const general = ['**/*.rs', 'src/**/test_*.py', '{*.js,*.ts}', 'docs/**/*.md'];

/** Shapes that people write: by customer, by module, by suffix, with braces and classes. */
function rulesOf(count: number, random: Random): RuleConfig[] {
  const patterns = Array.from({ length: count - general.length }, () => {
    const [id, folder, extension, other] = [
      random.upTo(count),
      random.of(folders),
      random.of(extensions),
      random.of(extensions),
    ];
    return random.of([
      `customer-${id}/inbox/**/*.${extension}`,
      `customer-${id}/**/*.{${extension},${other}}`,
      `${folder}/module-${id}/**/*.${extension}`,
      `${folder}/module-${id}/test_*.${extension}`,
      `**/*-${id}.${extension}`,
      `**/${folder}-${id}/**`,
      `${folder}/**/order-${id}-*.${extension}`,
      `{${folder},archive}/year-[0-9]*/batch-${id}/*.${extension}`,
      `customer-${id}/**`,
    ]);
  });
  return [...patterns, ...general].map((pattern, n) => ({
    name: `rule-${n}`,
    patterns: [pattern],
    priority: 0,
    target: { kind: 'action', action: 'ignore' },
    expect: { outputs: [] },
    cache: 'content',
    maxLoad: Number.POSITIVE_INFINITY,
  }));
}

/** Ids go to twice the rules' number: about half of them belong to nobody. */
function pathOf(rules: number, random: Random): string {
  const [id, folder, extension] = [random.upTo(rules * 2), random.of(folders), random.of(extensions)];
  return random.of([
    `customer-${id}/inbox/a/b/document.${extension}`,
    `customer-${id}/${folder}/x.${extension}`,
    `${folder}/module-${id}/deep/er/test_a.${extension}`,
    `${folder}/sub/order-${id}-x.${extension}`,
    `x/y/report-${id}.${extension}`,
    `q/${folder}-${id}/z.${extension}`,
    `archive/year-2026/batch-${id}/scan.${extension}`,
    `src/p/q/test_${id}.py`,
    `main${id}.${extension}`,
  ]);
}

interface Random {
  upTo(limit: number): number;
  of<T>(list: readonly T[]): T;
}

/** The same numbers on every machine, so that figures can be compared. */
function createRandom(seed: number): Random {
  let state = seed;
  const upTo = (limit: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  return { upTo, of: <T>(list: readonly T[]) => list[upTo(list.length)] as T };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

if (import.meta.main)
  process.stdout.write(`${formatRouting(measureRouting({ rounds: Number(process.argv[2] ?? 5) }))}\n`);

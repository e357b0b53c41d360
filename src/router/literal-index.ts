/**
 * Finds the rules that can match a path without asking the others. Each alternative of a rule's patterns is filed under
 * its rarest necessary literal; a look-up asks the maps for the literals a path has, so its cost hardly depends on the
 * number of rules. A trie of segments was rejected: most globs start with `**`, which puts them all at its root.
 */
import type { RuleConfig } from '../config/config.ts';
import { type Literal, necessaryLiterals } from './necessary-literals.ts';
import { isNegation } from './rule-matcher.ts';

/** A pattern without any of these is a plain path, which its literals find; few paths have one. */
const unusual = /[^\w\-. /\x80-\uffff]|^\.\//;

/** Numbers of rules, ascending. */
type Bucket = number[];

export interface LiteralIndex {
  /**
   * The smallest number for which `accepts` says yes, among the rules that can match; `accepts` is asked for as few as
   * possible.
   */
  first(path: string, accepts: (rule: number) => boolean): number | undefined;
}

export function createLiteralIndex(rules: readonly RuleConfig[]): LiteralIndex {
  const maps = {
    folder: new Map<string, Bucket>(),
    segment: new Map<string, Bucket>(),
    prefix: new Map<string, Bucket>(),
    suffix: new Map<string, Bucket>(),
  };
  const always: Bucket = [];
  /** picomatch lets a path match that is the very text of the pattern, whatever its signs mean. */
  const verbatim = new Map<string, Bucket>();

  for (const entry of rarest(rules)) {
    if (entry.literal === undefined) append(always, entry.rule);
    else append(bucketOf(maps[entry.literal.where], entry.literal.text), entry.rule);
  }
  rules.forEach((rule, number) => {
    for (const pattern of rule.patterns)
      if (unusual.test(pattern)) append(bucketOf(verbatim, pattern), number);
  });
  const folder = createTable(maps.folder);
  const segment = createTable(maps.segment);
  const prefix = createTable(maps.prefix);
  const suffix = createTable(maps.suffix);
  const whole = createTable(verbatim);

  return {
    first(path, accepts) {
      let best = Number.POSITIVE_INFINITY;
      const ask = (bucket: Bucket | undefined): void => {
        if (bucket === undefined) return;
        for (const rule of bucket) {
          if (rule >= best) return;
          if (accepts(rule)) best = rule;
        }
      };
      let start = 0;
      for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', start)) {
        ask(folder.find(path, 0, slash));
        ask(segment.find(path, start, slash));
        start = slash + 1;
      }
      const end = path.length;
      // `src/**` matches a file named `src` too: the whole path counts as a folder, its name as a segment.
      ask(folder.find(path, 0, end));
      ask(segment.find(path, start, end));
      for (const length of suffix.lengths)
        if (length <= end - start) ask(suffix.find(path, end - length, end));
      for (const length of prefix.lengths)
        if (length <= end - start) ask(prefix.find(path, start, start + length));
      if (whole.mayHave(path, 0, end) && unusual.test(path)) ask(verbatim.get(path));
      ask(always);
      return best === Number.POSITIVE_INFINITY ? undefined : best;
    },
  };
}

interface Table {
  readonly lengths: readonly number[];
  /** False: there is no bucket of `path.slice(from, to)`. */
  mayHave(path: string, from: number, to: number): boolean;
  /** The bucket of `path.slice(from, to)`. */
  find(path: string, from: number, to: number): Bucket | undefined;
}

/** Most texts that are looked up are of no rule: length and two characters often say so before anything is cut out. */
function createTable(map: ReadonlyMap<string, Bucket>): Table {
  const seen = new Uint8Array(fingerprints);
  for (const text of map.keys()) seen[fingerprint(text, 0, text.length)] = 1;
  const mayHave = (path: string, from: number, to: number) => seen[fingerprint(path, from, to)] === 1;
  return {
    lengths: [...new Set([...map.keys()].map((text) => text.length))],
    mayHave,
    find: (path, from, to) => (mayHave(path, from, to) ? map.get(path.slice(from, to)) : undefined),
  };
}

const fingerprints = 4096;

function fingerprint(text: string, from: number, to: number): number {
  const ends = Math.imul(text.charCodeAt(from), 31) + Math.imul(text.charCodeAt(to - 1), 7);
  return (ends + Math.imul(to - from, 67)) & (fingerprints - 1);
}

/** One entry per alternative of every pattern that can make its rule match; without a literal: always to be asked. */
function rarest(rules: readonly RuleConfig[]): { rule: number; literal: Literal | undefined }[] {
  const alternatives: { rule: number; literals: readonly Literal[] }[] = [];
  const uses = new Map<string, number>();
  rules.forEach((rule, number) => {
    for (const pattern of rule.patterns) {
      if (isNegation(pattern)) continue;
      for (const literals of necessaryLiterals(pattern)) {
        alternatives.push({ rule: number, literals });
        for (const literal of literals) uses.set(keyOf(literal), (uses.get(keyOf(literal)) ?? 0) + 1);
      }
    }
  });
  return alternatives.map(({ rule, literals }) => {
    let best: Literal | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const literal of literals) {
      const count = uses.get(keyOf(literal)) as number;
      if (count < fewest) [best, fewest] = [literal, count];
    }
    return { rule, literal: best };
  });
}

function keyOf(literal: Literal): string {
  return `${literal.where}:${literal.text}`;
}

function bucketOf(map: Map<string, Bucket>, text: string): Bucket {
  let bucket = map.get(text);
  if (bucket === undefined) {
    bucket = [];
    map.set(text, bucket);
  }
  return bucket;
}

/** Rules come in order, so a repeated one is the last. */
function append(bucket: Bucket, rule: number): void {
  if (bucket.at(-1) !== rule) bucket.push(rule);
}

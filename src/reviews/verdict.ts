/**
 * A reviewer's answer → its verdict, or why it is none. Read by hand rather than with the schema alone: an answer in a
 * fence, with prose around it or with `concerns` for `concern` is still an answer, and nothing unclear is an approval.
 */
import type { ReviewFinding, ReviewVerdict } from '../types/review.ts';
import { answersIn } from './answers.ts';
import { clean, cutChars, cutWords } from './texts.ts';
import { SUMMARY_WORDS } from './verdict-schema.ts';

export type Reading =
  | ({ readonly kind: 'valid' } & Pick<ReviewVerdict, 'verdict' | 'summary' | 'findings'>)
  /** One sentence without a full stop. */
  | { readonly kind: 'invalid'; readonly why: string };

const MAX_FINDINGS = 50;
const FINDING_CHARS = 2_000;
const PLACE_CHARS = 300;

const verdicts: Readonly<Record<string, 'approved' | 'concern' | 'blocker'>> = {
  approved: 'approved',
  concern: 'concern',
  concerns: 'concern',
  blocker: 'blocker',
  blockers: 'blocker',
};
const severities: Readonly<Record<string, ReviewFinding['severity']>> = {
  blocking: 'blocking',
  blocker: 'blocking',
  critical: 'blocking',
  major: 'major',
  minor: 'minor',
};

export function readVerdict(text: string): Reading {
  if (text.trim() === '') return invalid('its answer is empty');
  const found = answersIn(text);
  const last = found.at(-1);
  if (last === undefined) return invalid('its answer holds no JSON object with a verdict');
  // A quotation from the work may look like an answer; the answer itself comes last.
  if (!last.isLast) return invalid('its answer does not end with its verdict');
  const readings = found.map(({ answer }) => readAnswer(answer));
  const different = new Set(readings.flatMap((one) => (one.kind === 'valid' ? one.verdict : [])));
  if (different.size > 1) return invalid(`it gave several verdicts: ${[...different].join(', ')}`);
  return readings.at(-1) as Reading;
}

function readAnswer(value: Readonly<Record<string, unknown>>): Reading {
  const said = ownText(value, 'verdict');
  const word = said?.trim().toLowerCase() ?? '';
  const verdict = Object.hasOwn(verdicts, word) ? verdicts[word] : undefined;
  if (verdict === undefined)
    return invalid(
      said === undefined
        ? 'its `verdict` is no text'
        : `its verdict is ${JSON.stringify(cutChars(clean(said), 40))}`,
    );
  const listed = value.findings ?? [];
  if (!Array.isArray(listed)) return invalid('its `findings` are no list');
  const findings = listed.slice(0, MAX_FINDINGS).flatMap((one: unknown) => readFinding(one, verdict));
  const { text: words, isCut } = cutWords(clean(ownText(value, 'summary') ?? '').trim(), SUMMARY_WORDS);
  const notes = isCut ? [`cut at ${SUMMARY_WORDS} words`] : [];
  if (words === '' && findings.length === 0) return invalid(`it says "${verdict}" and nothing else`);
  if (listed.length > MAX_FINDINGS) notes.push(`${listed.length - MAX_FINDINGS} more findings left out`);
  const summary = words === '' ? (findings[0] as ReviewFinding).text : words;
  return consistent({ verdict, summary, findings, notes });
}

/** A verdict and its findings may contradict each other; the harder one holds. */
function consistent(o: {
  readonly verdict: 'approved' | 'concern' | 'blocker';
  readonly summary: string;
  readonly findings: readonly ReviewFinding[];
  readonly notes: readonly string[];
}): Reading {
  const blocks = o.findings.some(({ severity }) => severity === 'blocking');
  const contradicts = o.verdict === 'approved' && blocks;
  const notes = contradicts ? [...o.notes, 'it approved and named a blocking finding'] : o.notes;
  // A blocker that names nothing that blocks: its summary becomes the finding that the author has to answer.
  const added: readonly ReviewFinding[] =
    o.verdict === 'blocker' && !blocks
      ? [{ severity: 'blocking', text: cutChars(o.summary, FINDING_CHARS) }]
      : [];
  return {
    kind: 'valid',
    verdict: contradicts ? 'concern' : o.verdict,
    summary: notes.length === 0 ? o.summary : `${o.summary} (${notes.join('; ')})`,
    findings: [...o.findings, ...added],
  };
}

function readFinding(value: unknown, verdict: string): readonly ReviewFinding[] {
  if (typeof value === 'string')
    return readFinding({ text: value, severity: verdict === 'blocker' ? 'blocking' : 'major' }, verdict);
  if (!isObject(value)) return [];
  const text = cutChars(clean(ownText(value, 'text') ?? '').trim(), FINDING_CHARS);
  if (text === '') return [];
  const word = (ownText(value, 'severity') ?? '').trim().toLowerCase();
  const severity = (Object.hasOwn(severities, word) && severities[word]) || 'major';
  const place = cutChars(clean(ownText(value, 'place') ?? '').trim(), PLACE_CHARS);
  const evidence = cutChars(clean(ownText(value, 'evidence') ?? '').trim(), FINDING_CHARS);
  return [{ severity, text, ...(place !== '' && { place }), ...(evidence !== '' && { evidence }) }];
}

function ownText(value: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const found = Object.hasOwn(value, key) ? value[key] : undefined;
  return typeof found === 'string' ? found : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(why: string): Reading {
  return { kind: 'invalid', why };
}

// findings.mjs REVIEW [SARIF]: the findings of a review as SARIF 2.1.0, into $SLUICE_OUTPUT_DIR/findings.sarif and to SARIF when it is
// named. REVIEW is the file that the review step has left; without it there was nothing to review. Prints how many there are.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const levels = { blocking: 'error', major: 'warning', minor: 'note' };

/** @param {{ verdicts: readonly object[] }} review */
export function toSarif({ verdicts }) {
  const missing = verdicts.filter(({ verdict }) => verdict === 'missing');
  const results = verdicts.flatMap(({ agent, findings }) =>
    findings.map((finding) => toResult(agent, finding)),
  );
  const rules = [...new Set(results.map(({ ruleId }) => ruleId))].sort();
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'pr-diff-review', rules: rules.map((id) => ({ id })) } },
        // Who has not answered must not look like somebody who has found nothing.
        invocations: [
          {
            executionSuccessful: missing.length === 0,
            ...(missing.length > 0 && {
              toolExecutionNotifications: missing.map(({ agent, summary }) => ({
                level: 'error',
                message: { text: `${agent} has given no verdict: ${summary}` },
              })),
            }),
          },
        ],
        columnKind: 'utf16CodeUnits',
        results,
      },
    ],
  };
}

function toResult(agent, { severity, text, place, evidence }) {
  const at = placeOf(place);
  const said = evidence ? `${text}\n\n${evidence}` : text;
  return {
    ruleId: `${agent}/${severity}`,
    level: levels[severity] ?? 'warning',
    message: { text: at ? said : `${said}${place ? ` (${place})` : ''}` },
    ...(at && {
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: at.path.split('/').map(encodeURIComponent).join('/') },
            ...(at.line > 0 && { region: { startLine: at.line } }),
          },
        },
      ],
    }),
    // The same finding is the same in the next run.
    partialFingerprints: {
      'finding/v1': createHash('sha256').update(`${place}\n${text}`).digest('hex').slice(0, 32),
    },
  };
}

/** `src/a.ts:12`, also `src/a.ts:12-14` or `src/a.ts:12:3`; undefined where it is no file of the repository. */
export function placeOf(place) {
  const [, path = '', line] =
    /^\s*`?(?:[ab]\/)?([^\s:`][^:`]*?)`?(?::(\d+)(?:[-:]\d+)?)?`?\s*$/.exec(place ?? '') ?? [];
  if (!/[./]/.test(path) || path.startsWith('/') || path.split('/').includes('..')) return undefined;
  return { path, line: Number(line ?? 0) };
}

function main([file, target]) {
  const review = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { verdicts: [] };
  const sarif = `${JSON.stringify(toSarif(review), null, 2)}\n`;
  for (const place of [join(process.env.SLUICE_OUTPUT_DIR ?? '.', 'findings.sarif'), target])
    if (place) writeFileSync(place, sarif);
  const all = review.verdicts.flatMap(({ findings }) => findings);
  const count = Object.keys(levels).map((severity) => [
    severity,
    all.filter((one) => one.severity === severity).length,
  ]);
  console.log(JSON.stringify(Object.fromEntries(count)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2));

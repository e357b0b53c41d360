/**
 * The shape of a reviewer's answer. Every key is required and no other allowed, because the providers to whom CLIs hand a
 * schema on accept no other schemas; what does not apply is null.
 */

/** Shown where an answer does not match. */
export const VERDICT_SCHEMA_NAME = 'review-verdict.json';

export const SUMMARY_WORDS = 200;

export const verdictSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'review-verdict',
  type: 'object',
  additionalProperties: false,
  required: ['verdict', 'summary', 'findings'],
  properties: {
    verdict: {
      enum: ['approved', 'concern', 'blocker'],
      type: 'string',
      description:
        'approved: it can count as it is. concern: it can count, but somebody should know. blocker: it must not count.',
    },
    summary: { type: 'string', description: `Why, in at most ${SUMMARY_WORDS} words.` },
    findings: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['severity', 'text', 'place', 'evidence'],
        properties: {
          severity: {
            enum: ['blocking', 'major', 'minor'],
            type: 'string',
            description: 'blocking: must be answered before the work counts; goes back to its author.',
          },
          text: { type: 'string', description: 'What is wrong, and what would be right.' },
          place: { type: ['string', 'null'], description: 'file:line, or a heading.' },
          evidence: {
            type: ['string', 'null'],
            description: 'What shows it: a quotation, an output. Without it, say how it can be seen.',
          },
        },
      },
    },
  },
} as const;

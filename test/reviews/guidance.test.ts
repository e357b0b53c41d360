/** What an author is told of the findings that block its work. */
import { expect, test } from 'vitest';
import { guidanceOf } from '../../src/reviews/guidance.ts';

const finding = { severity: 'blocking', agent: 'one', text: 'It is 5.' } as const;

test('each finding with who says it, where, and what shows it; then what it had answered', () => {
  const findings = [
    finding,
    { ...finding, agent: 'two', text: 'Two lines\n- of one', place: 'a.ts:3', evidence: '2 + 3\n= 5' },
  ];
  expect(guidanceOf(findings, 2, ' It is 4.\n').split('\n').slice(1)).toEqual([
    '- It is 5. (one)',
    '- Two lines',
    '  - of one (two, at a.ts:3)',
    '  shown by: 2 + 3',
    '  = 5',
    '',
    'This is what you had answered:',
    '',
    'It is 4.',
  ]);
  expect(guidanceOf([finding], 1)).toMatch(/^Your work was reviewed \(round 1\)\..*\n- It is 5\. \(one\)$/);
});

test('however much was found and answered, all of it is kept for the next attempt', () => {
  const many = Array.from({ length: 60 }, () => ({ ...finding, text: 'x'.repeat(2_000) }));
  const guidance = guidanceOf(many, 1, 'y'.repeat(60_000));
  expect(guidance.length).toBeLessThan(32_000);
  expect(guidance).toMatch(/x…\n\nThis is what you had answered:\n\ny+…$/);
});

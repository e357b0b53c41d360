/** The configuration changes while work is under review: what was said of one agent's work is not said of another's. */
import { expect, test } from 'vitest';
import { reconfigure } from '../daemon/agents.ts';
import { until } from '../daemon/project.ts';
import { blocker, brief, jobOf, reached, reviewedProject, says } from './reviewed.ts';

test('the author is taken away in the middle: the work of the next one is judged by itself', async () => {
  const next = `  next:
    kind: command
    command: [echo, Written by the next one.]
    sandbox: { mode: off, reason: it prints a line }
`;
  const project = reviewedProject({
    config:
      'routing_rules: [{ name: all, pattern: "**", agent: author, prompt: Sum it up., review: true }]\n',
    agents: next,
  });
  project.author({ steps: says('Written by the first.') });
  project.reviewers(
    { when: 'Written by the first.', agent: 'one', until: 'go' },
    { when: 'Written by the next one.', agent: 'two', say: blocker('It sums up nothing.') },
  );
  project.write('inbox/a.txt', 'a');
  await project.start();
  await until('two has approved of the first', () => project.asked().includes('two (any)'));
  reconfigure(project, (text) =>
    text.replace('agent: author,', 'agent: next,').replace(/ {2}author:\n( {4}.*\n)+/, ''),
  );
  await until('the next one has done it', async () => (await jobOf(project, 'a.txt')).attempts.length > 1);
  project.write('go', '');
  const job = await reached(project, 'a.txt', 'held', 'succeeded');
  expect(job).toMatchObject({ state: 'held', reason: 'escalated', agent: 'next' });
  expect(brief(job).at(-1)).toContain('two blocker');
  expect(project.exists('processed/files/inbox/a.txt/result.md')).toBe(false);
});

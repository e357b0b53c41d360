/** What of an attempt is kept: redacted, bounded, with what the next launch is to be given or would need. */
import { expect, test } from 'vitest';
import { costOf } from '../../../src/agents/cli/cost.ts';
import { recordOf } from '../../../src/agents/cli/record.ts';
import type { CliAgent } from '../../../src/config/config.ts';
import type { Access, CliReport, Correction, FaultClass } from '../../../src/types/agent-cli.ts';

const silent: CliReport = { terminal: 'success', faults: [], denials: [], text: '', costUsd: null };
const edit = { message: 'no: sk-1', cure: { kind: 'access', access: 'edit' } } as const;

function record(
  report: Partial<CliReport>,
  o: { ceiling?: Access; correction?: Correction; workspaceDir?: string } = {},
) {
  const permissions = { mode: 'read', ceiling: o.ceiling ?? 'read', directories: [] } as const;
  return recordOf({
    kind: { resume: (id, cwd) => `cd ${cwd} && resume ${id}` },
    agent: { cli: { tools: [], permissions, onQuota: 'wait', model: 'asked' } } as unknown as CliAgent,
    call: {
      ...{ projectDir: '/p', rootDirs: [] },
      ...(o.correction && { correction: o.correction }),
      ...(o.workspaceDir !== undefined && { workspaceDir: o.workspaceDir }),
    },
    launched: {
      record: { kind: 'own', version: '1.2.3', flags: ['--json', '--key=sk-1'] },
      cwd: o.workspaceDir ?? '/p',
    },
    report: { ...silent, ...report },
    redact: (text) => text.replaceAll('sk-1', '[redacted]'),
  });
}

test('as it was started, without secrets, and how a person goes on', () => {
  expect(record({ sessionId: 's', model: 'used' })).toEqual({
    ...{ kind: 'own', version: '1.2.3', flags: ['--json', '--key=[redacted]'], denials: [] },
    ...{ model: 'used', sessionId: 's', resume: 'cd /p && resume s' },
  });
  expect(record({})).toMatchObject({ model: 'asked' });
  // A copy goes with its job.
  expect(record({ sessionId: 's' }, { workspaceDir: '/w/copy' }).resume).toBe('cd /p && resume s');
});

test('a denial: what lifts it within the ceiling, else what would', () => {
  expect(record({ denials: [edit] }, { ceiling: 'edit' })).toMatchObject({
    denials: ['no: [redacted]'],
    next: { access: 'edit' },
  });
  const beyond = record({ denials: [edit] });
  expect(beyond.next).toBeUndefined();
  expect(beyond.wanted).toEqual({ access: 'edit' });
  const again = record({ denials: [edit] }, { ceiling: 'edit', correction: { access: 'edit' } });
  expect([again.next, again.wanted]).toEqual([undefined, undefined]);
  const many = Array.from({ length: 30 }, (_, at) => ({ message: `${at} ${'x'.repeat(400)}` }));
  const { denials } = record({ denials: many });
  expect(denials).toHaveLength(10);
  expect(denials[0]).toHaveLength(300);
});

test('a flag that is unknown: left out of the next launch where it was in this one, for this version', () => {
  const unknown = (flag: string) =>
    record({
      terminal: 'none',
      faults: [{ class: 'flags', message: 'no', cure: { kind: 'without_flag', flag } }],
    });
  expect(unknown('--json')).toMatchObject({
    fault: 'flags',
    next: { withoutFlags: ['--json'], version: '1.2.3' },
  });
  expect(unknown('--other').next).toBeUndefined();
});

const refused = (fault: FaultClass, terminal: CliReport['terminal'] = 'failure') => ({
  ...{ terminal, faults: [{ class: fault, message: '' }] },
});
const tokens = { input_tokens: 1, cache_read_tokens: 0, cache_write_tokens: 0, output_tokens: 0 };

test.each<[string, Partial<CliReport>, boolean, number | null]>([
  ['as the CLI says', { costUsd: 0.5, usage: tokens }, true, 0.5],
  ['nothing, as the CLI says', { costUsd: 0 }, true, 0],
  ['by the price of the model that it names', { usage: tokens, model: 'dear' }, true, 7],
  ['by the price of the model that was asked for', { usage: tokens }, true, 1],
  ['not known', {}, true, null],
  ...(['setup', 'flags', 'auth', 'model', 'context', 'quota', 'rate'] as const).map(
    (fault): [string, Partial<CliReport>, boolean, number] => [
      `nothing: refused unheard (${fault})`,
      refused(fault),
      false,
      0,
    ],
  ),
  ['not known: it was heard', refused('auth'), true, null],
  ['not known: cut off on the way', refused('network'), false, null],
  ['not known: it went on', refused('auth', 'success'), false, null],
])('what it cost: %s', (_, report, isAnswered, cost) => {
  const priceOf = (model: string | undefined) => (model === 'dear' ? 7 : model === 'asked' ? 1 : null);
  expect(costOf({ ...silent, ...report }, { isAnswered, model: 'asked', at: 0 }, priceOf)).toBe(cost);
});

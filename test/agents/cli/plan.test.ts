/** What a corrected launch changes is told on the record: flags, and variables where those say what may be done. */
import { expect, test } from 'vitest';
import type { CliKind } from '../../../src/agents/cli/kind.ts';
import { builtinCliKinds } from '../../../src/agents/cli/kinds.ts';
import { planLaunch } from '../../../src/agents/cli/plan.ts';
import type { CliAgent, CliKindName } from '../../../src/config/config.ts';
import type { AgentCall } from '../../../src/types/agent.ts';
import type { Correction } from '../../../src/types/agent-cli.ts';

const permissions = { mode: 'read', ceiling: 'edit', directories: [] } as const;

function correctionOf(name: CliKindName, correction?: Correction, isConfined = true) {
  const agent = { name: 'own', cli: { tools: [], permissions, onQuota: 'wait' } } as unknown as CliAgent;
  const input = { root: 'inbox', rootDir: '/p/inbox', path: 'a', file: '/p/inbox/a', sha256: '', bytes: 1 };
  const call = {
    ...{
      projectDir: '/p',
      rootDirs: ['/p/inbox'],
      workDir: '/p/.sluice/w',
      outputDir: '/p/.sluice/w/outputs',
    },
    ...{ agent, input, inputs: [input], prompt: 'Go.', rule: 'r', jobId: 'j', attempt: 1, sessionId: 's' },
    ...(correction && { correction }),
  } as unknown as AgentCall;
  const { record } = planLaunch({
    ...{ kind: builtinCliKinds.get(name as 'codex') as CliKind, agent, call, version: { text: '9.9.9' } },
    ...{ env: {}, sessionId: '1', isConfined, login: { state: 'unknown', detail: '' } as const },
  });
  return record.correction;
}

test('a plain launch has no correction', () => {
  expect(correctionOf('copilot')).toBeUndefined();
});

test('a flag more', () => {
  expect(correctionOf('copilot', { access: 'edit' })).toMatchObject({
    ...{ access: 'edit', removed: [] },
    added: expect.arrayContaining(['--allow-tool=write']),
  });
});

test('another variable', () => {
  const { added, removed } = correctionOf('opencode', { access: 'edit' }) ?? { added: [], removed: [] };
  expect(added).toContainEqual(expect.stringMatching(/^OPENCODE_PERMISSION=\{.*"edit":"allow"/));
  expect(removed).toEqual([expect.stringMatching(/^OPENCODE_PERMISSION=\{.*"edit":"ask"/)]);
});

test('nothing beyond the ceiling', () => {
  expect(correctionOf('opencode', { access: 'all' })).toBeUndefined();
});

test('a flag with another value is told with both', () => {
  const { added, removed } = correctionOf('codex', { access: 'edit' }, false) ?? { added: [], removed: [] };
  expect(added).toEqual(['--sandbox workspace-write']);
  expect(removed).toEqual(['--sandbox read-only']);
});

test('where our sandbox is what changes, the places are told', () => {
  const { added } = correctionOf('codex', { access: 'edit' }) ?? { added: [] };
  expect(added).toContain('sandbox.write=/p');
});

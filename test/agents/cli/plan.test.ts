/** What a corrected launch changes is told on the record: flags, and variables where those say what may be done. */
import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { CliKind } from '../../../src/agents/cli/kind.ts';
import { builtinCliKinds } from '../../../src/agents/cli/kinds.ts';
import { planLaunch } from '../../../src/agents/cli/plan.ts';
import type { CliAgent, CliKindName, CliSettings } from '../../../src/config/config.ts';
import type { AgentCall } from '../../../src/types/agent.ts';
import type { Correction } from '../../../src/types/agent-cli.ts';
import { tempDir } from '../attempts.ts';

const permissions = { mode: 'read', ceiling: 'edit', directories: [] } as const;

function planOf(
  name: CliKindName,
  more: Partial<AgentCall> = {},
  isConfined = true,
  may: CliSettings['permissions'] = permissions,
) {
  const agent = {
    ...{ name: 'own', cli: { tools: [], permissions: may, onQuota: 'wait' } },
  } as unknown as CliAgent;
  const input = { root: 'inbox', rootDir: '/p/inbox', path: 'a', file: '/p/inbox/a', sha256: '', bytes: 1 };
  const call = {
    ...{
      projectDir: '/p',
      rootDirs: ['/p/inbox'],
      workDir: '/p/.sluice/w',
      outputDir: '/p/.sluice/w/outputs',
    },
    ...{ agent, input, inputs: [input], prompt: 'Go.', rule: 'r', jobId: 'j', attempt: 1, sessionId: 's' },
    ...more,
  } as unknown as AgentCall;
  return planLaunch({
    ...{ kind: builtinCliKinds.get(name as 'codex') as CliKind, agent, call, version: { text: '9.9.9' } },
    ...{ env: {}, sessionId: '1', isConfined, login: { state: 'unknown', detail: '' } as const },
  });
}

function correctionOf(name: CliKindName, correction?: Correction, isConfined = true) {
  return planOf(name, { ...(correction && { correction }) }, isConfined).record.correction;
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

test('where it works and writes: the project, or the copy of a tree that the project is no part of', () => {
  const plain = planOf('codex', { correction: { access: 'edit' } });
  expect([plain.cwd, plain.writes]).toEqual(['/p', ['/p']]);
  const copy = '/p/.sluice/w/copy';
  const input = { root: 'in', rootDir: copy, path: 'a', file: `${copy}/a`, sha256: '', bytes: 1 };
  const copied = planOf('codex', {
    ...{ correction: { access: 'edit' }, workspaceDir: copy, input, inputs: [input], rootDirs: ['/data/in'] },
  });
  // The copy is in the folder of the job, which is writable anyway; what was copied is not written, not even when asked for.
  expect([copied.cwd, copied.writes, copied.reads]).toEqual([copy, [], []]);
});

test('who works on a copy is not given the tree that was copied', () => {
  const [dir, copy] = [realpathSync(tempDir()), '/p/.sluice/w/copy'];
  mkdirSync(join(dir, 'src'));
  const input = { root: 'in', rootDir: copy, path: 'a', file: `${copy}/a`, sha256: '', bytes: 1 };
  const { writes } = planOf('codex', {
    ...{ workspaceDir: copy, input, inputs: [input], rootDirs: [dir] },
    correction: { access: 'edit', directories: [join(dir, 'src')] },
  });
  expect(writes).toEqual([]);
});

test('a folder of a correction is made, when it may write there, and shown where nothing else shows it', () => {
  const dir = realpathSync(tempDir());
  const call = (path: string, correction: Correction): Partial<AgentCall> => ({
    ...{ rootDirs: ['/p/inbox', dir], correction: { ...correction, directories: [join(dir, path)] } },
  });
  const edit = planOf('codex', call('new/deep', { access: 'edit' }));
  expect(edit.writes).toContain(join(dir, 'new/deep'));
  expect(existsSync(join(dir, 'new/deep'))).toBe(true);
  planOf('codex', call('other', {}));
  expect(existsSync(join(dir, 'other'))).toBe(false);
  mkdirSync(join(dir, 'shown'));
  const agent = { ...permissions, directories: [dir] };
  const read = planOf('codex', { ...call('shown', {}), rootDirs: [] }, true, agent);
  expect([read.reads, read.writes]).toEqual([[join(dir, 'shown')], []]);
});

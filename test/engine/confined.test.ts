/** Whose work can appear in a watched folder: only theirs can be a loop. */
import { expect, test } from 'vitest';
import type { AgentConfig, Config } from '../../src/config/config.ts';
import { isConfined } from '../../src/engine/confined.ts';

const config = { projectDir: '/p', roots: [{ dir: '/p/inbox' }, { dir: '/data/in' }] } as unknown as Config;
const required = (write: readonly string[] = []) => ({ mode: 'required', write });

function cli(ceiling: string, more: object = {}, directories: readonly string[] = []) {
  return {
    kind: 'claude',
    sandbox: required(),
    workspace: 'in_place',
    cli: { permissions: { ceiling, directories } },
    ...more,
  };
}

test.each<[string, object, boolean]>([
  ['the inspector', { kind: 'builtin' }, true],
  ['a service', { kind: 'http', sandbox: { mode: 'off' } }, false],
  ['a command without confinement', { kind: 'command', sandbox: { mode: 'off' } }, false],
  ['a command that writes nowhere', { kind: 'command', sandbox: required() }, true],
  [
    'one that writes its tree',
    { kind: 'command', sandbox: required(['workspace']), workspace: 'in_place' },
    false,
  ],
  ['one that writes a copy', { kind: 'command', sandbox: required(['workspace']), workspace: 'copy' }, true],
  ['one that writes above a root', { kind: 'command', sandbox: required(['/data']) }, false],
  ['one that writes elsewhere', { kind: 'command', sandbox: required(['/data/out']) }, true],
  ['an agent CLI that only looks', cli('read'), true],
  ['one that may come to edit', cli('edit'), false],
  ['one that may come to do anything', cli('all'), false],
  ['one that edits a copy', cli('edit', { workspace: 'copy' }), true],
  ['one that edits a copy and is let into a root', cli('edit', { workspace: 'copy' }, ['/data/in/x']), false],
  ['one that looks into a root', cli('read', {}, ['/data/in']), true],
  ['one without its sandbox', cli('read', { sandbox: { mode: 'off' } }), false],
])('%s', (_, agent, expected) => {
  expect(isConfined({ name: 'a', ...agent } as unknown as AgentConfig, config, { list: () => [] })).toBe(
    expected,
  );
});

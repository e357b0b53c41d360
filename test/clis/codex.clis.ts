/** Every scenario of the real Codex CLI. */
import { describe, expect, test } from 'vitest';
import { binOf, openRig } from './rig.ts';

describe.skipIf(binOf('codex') === undefined)('codex', () => {
  test('outside a git repository it is started again with the flag that it asks for', async () => {
    const rig = await openRig('codex');
    rig.configure({});
    await rig.run({ 'a.md': '# Title\n' });
    const { state, attempts, proof } = rig.receipt('a.md');
    expect({ state, proof }).toEqual({ state: 'succeeded', proof: ['exit_code', 'event'] });
    expect(attempts).toHaveLength(2);
    expect(attempts[1]?.cli?.correction).toEqual({ added: ['--skip-git-repo-check'], removed: [] });
    expect(rig.result('a.md')).toContain('Stub final answer');
    // What was learned holds for the next file.
    await rig.run({ 'b.md': '# Other\n' });
    expect(rig.receipt('b.md').attempts).toHaveLength(1);
  });
});

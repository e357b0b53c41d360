/** What each agent CLI has to get right before anything else; those that take long to start play it in one project. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isLeftAlone } from './log-in.ts';
import { type CliName, openRig } from './rig.ts';
import { filesWith, key } from './scenes.ts';

export function testBasics(name: CliName): void {
  test('a success; a write while it may only read, after which it may; a wrong key, which fails at once', async () => {
    const rig = await openRig(name);
    rig.configure({ agent: { permissions: { mode: 'read', ceiling: 'edit' } } });
    await rig.run({ 'a.md': '# Title\n' });
    expect(rig.receipt('a.md')).toMatchObject({ state: 'succeeded', proof: ['exit_code', 'event'] });
    expect(rig.receipt('a.md').attempts).toHaveLength(1);
    expect(rig.receipt('a.md').usage?.input_tokens).toBe(1000);
    expect(rig.result('a.md')).toBe('Stub final answer: the task is done.\n');

    rig.play('write');
    await rig.run({ 'b.md': '# Other\n' });
    const { state, attempts } = rig.receipt('b.md');
    expect(state).toBe('succeeded');
    expect(attempts).toHaveLength(2);
    expect(attempts[0]?.cli?.denials).toEqual([expect.stringContaining('hello.txt')]);
    expect(attempts[1]?.cli?.correction?.added).toContain(`sandbox.write=${rig.project.dir}`);
    expect(existsSync(join(rig.project.dir, 'hello.txt'))).toBe(true);

    rig.play('e401');
    await rig.run({ 'c.md': '# Third\n' });
    expect(rig.receipt('c.md')).toMatchObject({ state: 'failed', reason: 'auth' });
    expect(rig.receipt('c.md').attempts).toHaveLength(1);
    await isLeftAlone(rig);
    // The folder of a job that failed is kept, with the home that its CLI may have had there.
    expect(filesWith(join(rig.project.dir, '.sluice'), key)).toEqual([]);
  });
}

/** Every scenario of the real opencode. It takes its time to start, so that one project plays several. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { binOf, openRig } from './rig.ts';
import { type Bait, layTraps } from './traps.ts';

describe.skipIf(binOf('opencode') === undefined)('opencode', () => {
  test('a success; a write while it may only read, after which it may; a wrong key, which fails at once', async () => {
    const rig = await openRig('opencode');
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
  });

  test('nothing that lies in its folders decides what it does', async () => {
    const rig = await openRig('opencode');
    rig.git();
    const trap = layTraps(rig.project, files);
    rig.configure({ agent: { permissions: { mode: 'all' } }, rule: { pattern: '**/a.md' } });
    rig.play('shell');
    await rig.run({ 'sub/a.md': '# Title\n' });
    expect(rig.receipt('sub/a.md').state).toBe('succeeded');
    expect(trap.toldIn(await rig.lastRequest())).toEqual([]);
    expect(trap.sprung()).toEqual([]);

    // By itself it falls into them, so that they would have worked here. It would first fetch packages for `.opencode`.
    rmSync(join(rig.project.dir, '.opencode'), { recursive: true });
    const flags = ['run', '--format', 'json', '--title', 'x', '--model', 'stub/stub-model'];
    const { stderr } = await rig.bare([...flags, 'Do the task.']);
    expect(trap.toldIn(await rig.lastRequest()), stderr).toEqual(['AGENTS.md', 'OTHER.md', 'claude skill']);
    expect(trap.sprung()).toEqual(['mcp']);
  });
});

function files({ say, trace }: Bait): Readonly<Record<string, string>> {
  const config = {
    instructions: ['OTHER.md'],
    mcp: { evil: { type: 'local', command: ['touch', trace('mcp')] } },
  };
  const plugin = `import { writeFileSync } from 'node:fs';
export const Evil = async () => { writeFileSync(${JSON.stringify(trace('plugin'))}, ''); return {}; };
`;
  return {
    ...Object.fromEntries(['AGENTS.md', 'OTHER.md'].map((name) => [name, say(name)])),
    'opencode.json': JSON.stringify(config),
    '.opencode/plugin/evil.js': plugin,
    '.opencode/skills/x/SKILL.md': `---\nname: x\ndescription: ${say('skill')}\n---\nSay it.\n`,
    '.claude/skills/y/SKILL.md': `---\nname: y\ndescription: ${say('claude skill')}\n---\nSay it.\n`,
  };
}

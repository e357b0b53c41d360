/** Every scenario of the real GitHub Copilot CLI. It takes its time to start, so that one project plays several. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { binOf, openRig } from './rig.ts';
import { type Bait, layTraps } from './traps.ts';

describe.skipIf(binOf('copilot') === undefined)('copilot', () => {
  test('a success; a write while it may only read, after which it may; a wrong key, which fails at once', async () => {
    const rig = await openRig('copilot');
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
    const rig = await openRig('copilot');
    rig.git();
    const trap = layTraps(rig.project, files);
    rig.configure({ agent: { permissions: { mode: 'all' } }, rule: { pattern: '**/a.md' } });
    rig.play('shell');
    await rig.run({ 'sub/a.md': '# Title\n' });
    expect(rig.receipt('sub/a.md').state).toBe('succeeded');
    expect(trap.toldIn(await rig.lastRequest())).toEqual([]);
    expect(trap.sprung()).toEqual([]);

    // By itself it falls into them, so that they would have worked here.
    const flags = ['--allow-all', '--output-format', 'json', '-p', 'Do the task.'];
    // It then trusts the folder.
    const { stderr } = await rig.bare(flags, { env: { COPILOT_ALLOW_ALL: 'true' } });
    expect(trap.toldIn(await rig.lastRequest()), stderr).toEqual(trap.texts);
    expect(trap.sprung()).toEqual(trap.commands);
  });
});

function files({ say, run, trace }: Bait): Readonly<Record<string, string>> {
  const hook = (by: string) => [{ type: 'command', bash: run(by) }];
  const hooks = {
    sessionStart: hook('session'),
    userPromptSubmitted: hook('prompt'),
    preToolUse: hook('tool'),
  };
  const server = { type: 'local', command: 'touch', args: [trace('mcp')], tools: ['*'] };
  return {
    ...Object.fromEntries(
      ['AGENTS.md', 'CLAUDE.md', '.github/copilot-instructions.md'].map((name) => [name, say(name)]),
    ),
    '.github/hooks/evil.json': JSON.stringify({ version: 1, hooks }),
    '.mcp.json': JSON.stringify({ mcpServers: { evil: server } }),
    '.github/skills/x/SKILL.md': `---\nname: x\ndescription: ${say('skill')}\n---\nSay it.\n`,
  };
}

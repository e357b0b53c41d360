/** What `sluice agents detect` and `sluice agents test` say of the real agent CLIs. */
import { describe, expect, test } from 'vitest';
import type { AgentTestReport } from '../../src/operations/agents/agent-test.ts';
import { binOf, type CliName, openRig, versionOf } from './rig.ts';

const all = ['claude', 'codex', 'gemini', 'opencode', 'copilot'] as const;
const names = all.filter((name) => binOf(name) !== undefined);
interface Found {
  readonly agents: readonly {
    readonly id: string;
    readonly state: string;
    readonly version: string | null;
    readonly login: { readonly state: string; readonly detail: string } | null;
    readonly lacks_flags?: readonly string[];
    readonly registered_as: readonly string[];
  }[];
}

describe.skipIf(names.length === 0)('detecting', () => {
  test('each is found with its version, logged in, with all flags that we use; no model is asked', async () => {
    const rig = await openRig(...(names as unknown as [CliName]));
    rig.configure();
    const { agents } = await rig.json<Found>('agents', 'detect');
    const found = agents.filter(({ id }) => (names as readonly string[]).includes(id));
    expect(
      found.map(({ id, state, version, login, lacks_flags }) => ({
        ...{ id, state, version, login: login?.state, lacks_flags },
      })),
    ).toEqual(
      names.map((id) => ({
        ...{ id, state: 'found', version: versionOf(id), login: 'logged_in', lacks_flags: [] },
      })),
    );
    expect(found.find(({ id }) => id === names[0])?.registered_as).toEqual(['it']);
    expect(rig.requests()).toEqual([]);
  });
});

describe.skipIf(binOf('codex') === undefined)('trying one out', () => {
  test('without a key: detect says what is missing, the test fails and says how to log in', async () => {
    const rig = await openRig('codex');
    rig.configure();
    rig.env.STUB_API_KEY = undefined;
    const { agents } = await rig.json<Found>('agents', 'detect');
    const { login } = agents.find(({ id }) => id === 'codex') ?? {};
    expect(login?.state).toBe('logged_out');
    expect(login?.detail).toContain('STUB_API_KEY');
    const { code, stdout } = await rig.call('agents', 'test', 'it');
    expect(code).toBe(1);
    expect(stdout).toMatch(/login +not logged in: missing: STUB_API_KEY\n +fix: Set STUB_API_KEY /);
    expect(stdout).toMatch(/ended +failed \(auth\)/);
    expect(rig.requests()).toEqual([]);
  });

  test('with one: step by step from the program to the proof', async () => {
    const rig = await openRig('codex');
    rig.configure();
    const report = await rig.json<AgentTestReport>('agents', 'test', 'it');
    expect(report.state).toBe('passed');
    expect(report.steps.map(({ what }) => what)).toEqual(
      expect.arrayContaining(['program', 'login', 'queued', 'started', 'event', 'ended']),
    );
    expect(report.steps[0]?.text).toContain(`Codex CLI ${versionOf('codex')}`);
    expect(report.steps.at(-1)?.text).toBe('succeeded, proved by exit_code, event');
    expect(report.first_event_ms).toBeGreaterThan(0);
    // Outside a git repository it is started twice.
    expect(report.job?.attempts).toHaveLength(2);
  });
});

/** What the tests of this folder share: sessions over a real ledger. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import type { StateLimits } from '../../src/sessions/limits.ts';
import { Sessions } from '../../src/sessions/sessions.ts';
import type { SessionState } from '../../src/sessions/state.ts';

export function tempFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-sessions-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export interface Bench {
  readonly dir: string;
  readonly ledger: Ledger;
  readonly sessions: Sessions;
  /** Moves the clock. */
  pass(ms: number): void;
  /** The state of a session as this agent sees it. */
  as(agent: string, session?: string): SessionState;
}

/** With the sessions `one` and `two`. */
export async function openBench(limits: Partial<StateLimits> = {}): Promise<Bench> {
  const dir = tempFolder();
  let ahead = 0;
  const now = () => Date.now() + ahead;
  const { ledger } = openSqliteLedger({ stateDir: dir, now });
  const sessions = new Sessions({
    ...{ ledger: ledger.sessions, durable: () => ledger.durable(), now, limits },
  });
  onTestFinished(async () => {
    await sessions[Symbol.asyncDispose]();
    await ledger[Symbol.asyncDispose]();
  });
  for (const id of ['one', 'two']) await sessions.open({ id, kind: 'run', title: 'a workflow' });
  return {
    ...{ dir, ledger, sessions },
    pass: (ms) => {
      ahead += ms;
    },
    as: (agent, session = 'one') =>
      sessions.stateOf({ session, agent, by: agent, holder: `attempt of ${agent}` }),
  };
}

/** `sluice config history`: the audit rows. Read from the ledger also while a daemon runs: reading disturbs nobody. */
import type { ConfigChange } from '../../../config/diff.ts';
import type { AuditEntry } from '../../../ledger/ledger.ts';
import { hasLedger, openSqliteLedger } from '../../../ledger/sqlite/open.ts';
import { printableName } from '../../../types/printable-name.ts';
import type { CommandContext } from '../../context.ts';
import { paint } from '../../paint.ts';
import { printJson, printLine, tell, tellIfMore } from '../../print.ts';
import { shortTime } from '../../times.ts';

export async function run(
  context: CommandContext,
  _args: readonly string[],
  { limit, json }: { readonly limit: number; readonly json?: boolean },
): Promise<number> {
  const { stateDir } = await context.project();
  const entries = await read(stateDir, limit);
  if (json) {
    printJson(entries.map(({ at, ...entry }) => ({ at: new Date(at).toISOString(), ...entry })));
    return 0;
  }
  if (entries.length === 0) tell('the configuration of a running daemon was never changed');
  for (const entry of entries) print(entry);
  tellIfMore(entries.length, limit);
  return 0;
}

async function read(stateDir: string, limit: number): Promise<AuditEntry[]> {
  if (!hasLedger(stateDir)) return [];
  await using ledger = openSqliteLedger({ stateDir, readOnly: true }).ledger;
  return await ledger.audit.list(limit);
}

function print({ at, type, who, data }: AuditEntry): void {
  printLine(`${shortTime(at)}  ${paint('bold', type.replaceAll('_', ' '))}  by ${printableName(who)}`);
  const changes: readonly unknown[] = Array.isArray(data) ? data : [data];
  for (const change of changes)
    printLine(`  ${printableName(isChange(change) ? words(change) : plain(change))}`);
}

function isChange(value: unknown): value is ConfigChange {
  return typeof value === 'object' && value !== null && typeof (value as ConfigChange).path === 'string';
}

function words({ path, before, after }: ConfigChange): string {
  const text = (value: unknown) => JSON.stringify(value);
  if (before === undefined) return `${path}: added ${text(after)}`;
  if (after === undefined) return `${path}: removed (was ${text(before)})`;
  return `${path}: ${text(before)} → ${text(after)}`;
}

function plain(value: unknown): string {
  return Object.entries((value ?? {}) as Record<string, unknown>)
    .map(([name, inner]) => `${name}: ${typeof inner === 'string' ? inner : JSON.stringify(inner)}`)
    .join(', ');
}

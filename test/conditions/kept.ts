/** The small values of a ledger, in memory: what a test keeps over a "restart". */
import type { KeptLedger } from '../../src/ledger/ledger.ts';

export function createKept(): KeptLedger {
  const rows = new Map<string, { kind: string; name: string; json: string }>();
  const id = (kind: string, name: string): string => `${kind}\n${name}`;
  return {
    async get(kind, name) {
      const row = rows.get(id(kind, name));
      return row && JSON.parse(row.json);
    },
    async put(kind, name, value) {
      rows.set(id(kind, name), { kind, name, json: JSON.stringify(value) });
    },
    async forget(kind, name) {
      rows.delete(id(kind, name));
    },
    async list(kind) {
      return [...rows.values()].flatMap((row) =>
        row.kind === kind ? [{ name: row.name, value: JSON.parse(row.json) }] : [],
      );
    },
  };
}

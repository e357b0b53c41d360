/** `sluice gc`: what is kept where, and what may go now. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { applyRetention, type Removal } from '../engine/retention.ts';
import { sizeOfTree } from '../engine/tree-size.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { openSqliteLedger } from '../ledger/sqlite/open.ts';

export interface GcReport {
  readonly dry_run: boolean;
  /** Before anything was removed. */
  readonly kept: readonly { readonly what: string; readonly path: string; readonly bytes: number }[];
  readonly removed: readonly Removal[];
  /** Of all removed files, and of the ledger's own. */
  readonly freed_bytes: number;
}

export interface GcOptions {
  readonly config: Config;
  readonly ledger: Ledger;
  readonly dryRun: boolean;
  readonly now: number;
}

const places = ['logs', 'work', 'history', 'undo'] as const;

export async function gc({ config, ledger, dryRun, now }: GcOptions): Promise<GcReport> {
  const kept = await measure(config);
  const done = dryRun ? await rehearse(config, ledger, now) : await sweep(config, ledger, now);
  const bytes = done.removed.reduce((sum, removal) => sum + removal.bytes, 0);
  return { dry_run: dryRun, kept, removed: done.removed, freed_bytes: bytes + done.ledgerBytes };
}

interface Done {
  readonly removed: readonly Removal[];
  readonly ledgerBytes: number;
}

async function sweep(config: Config, ledger: Ledger, now: number): Promise<Done> {
  const before = await ledger.size();
  const removed = await applyRetention({ config, ledger, apply: true, now });
  await ledger.durable();
  return { removed, ledgerBytes: Math.max(0, before - (await ledger.size())) };
}

/** On a copy of the ledger, so that it is the very same that a sweep would do. */
async function rehearse(config: Config, ledger: Ledger, now: number): Promise<Done> {
  const folder = await mkdtemp(join(config.stateDir, 'gc-'));
  try {
    await ledger.copyTo(join(folder, 'ledger.db'));
    await using copy = openSqliteLedger({ stateDir: folder }).ledger;
    const before = await copy.size();
    const removed = await applyRetention({ config, ledger: copy, apply: false, now });
    await copy.durable();
    return { removed, ledgerBytes: Math.max(0, before - (await copy.size())) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Bytes on disk by place; also for a project without a ledger. */
export async function measure({ stateDir, output }: Config): Promise<GcReport['kept']> {
  const ledgerFile = join(stateDir, 'ledger.db');
  const files = [
    { what: 'ledger', path: ledgerFile },
    { what: 'write-ahead log', path: `${ledgerFile}-wal` },
    ...places.map((what) => ({ what, path: join(stateDir, what) })),
  ];
  const kept = await Promise.all(files.map(async (at) => ({ ...at, bytes: await sizeOfTree(at.path) })));
  const known = kept.reduce((sum, { bytes }) => sum + bytes, 0);
  const all = await sizeOfTree(stateDir);
  return [
    ...kept,
    { what: 'other state', path: stateDir, bytes: Math.max(0, all - known) },
    { what: 'results', path: output.dir, bytes: await sizeOfTree(output.dir) },
  ];
}

/** The contract of the ledger, kept by SQLite on real files. */
import { openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import { ledgerContract } from './contract.ts';
import { stateFolder } from './state-folder.ts';

ledgerContract('SQLite', () => {
  const stateDir = stateFolder();
  return { open: async (now) => openSqliteLedger({ stateDir, now }).ledger };
});

/**
 * A process that works on a ledger until it is killed. `durable`: writes files one after another, and says the number of
 * each once `durable()` has said so. `until-full`: writes files until the ledger reports a problem, and says when it has
 * passed. `lock`: takes the project's lock and keeps it.
 */
import { setTimeout } from 'node:timers/promises';
import { lockProject } from '../../src/ledger/lock.ts';
import { openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import type { AppError } from '../../src/types/errors.ts';
import { file, spec } from './specs.ts';

const [mode, stateDir = ''] = process.argv.slice(2);

if (mode === 'lock') {
  const lock = lockProject(stateDir, 'start');
  process.stdout.write(`${lock.wasUnclean ? 'unclean' : 'clean'}\n`);
  process.stdin.resume();
  process.stdin.once('end', () => lock[Symbol.dispose]());
} else if (mode === 'until-full') {
  let isFull = false;
  const onFull = (problem: AppError | undefined): void => {
    isFull = problem !== undefined;
    process.stdout.write(`${problem?.code ?? 'written'}\n`);
  };
  const { ledger } = openSqliteLedger({ stateDir, onFull });
  let n = 0;
  while (!isFull) {
    for (const end = n + 50; n < end; n++) await ledger.files.put(file(`f${n}`, { sha256: 'f'.repeat(500) }));
    await Promise.race([ledger.durable(), setTimeout(100)]);
  }
  await ledger.durable();
  process.stdout.write(`${n}\n`);
  process.stdin.resume();
} else {
  const { ledger } = openSqliteLedger({ stateDir });
  for (let n = 0; ; n++) {
    await ledger.files.put(file(`f${n}`));
    await ledger.jobs.enqueue(spec({ id: `j${n}` }));
    if (n % 10 !== 9) continue;
    await ledger.durable();
    process.stdout.write(`${n}\n`);
  }
}

/**
 * What Sluice costs around an agent CLI: `node bench/agents.ts [overhead|memory|parsing …]`.
 *
 * `overhead` needs the real CLIs, from the cache of `npm run test:clis` (`SLUICE_CLIS_CACHE`); those that are not there are
 * skipped. Their models are a stub that answers at once. `ROUNDS` sets the number of runs of each (default 15),
 * `SANDBOX=off` leaves the sandbox out.
 */
import { measureMemory } from './agents-memory.ts';
import { measureOverhead } from './agents-overhead.ts';
import { measureParsing } from './agents-parsing.ts';

const parts = { overhead: measureOverhead, memory: measureMemory, parsing: measureParsing };
const wanted = process.argv.slice(2);
for (const [name, measure] of Object.entries(parts))
  if (wanted.length === 0 || wanted.includes(name)) await measure(Number(process.env.ROUNDS ?? 15));

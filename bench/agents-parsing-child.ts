/** One reading of `stdout` in a folder, for `agents-parsing.ts`: by us, or by the peer. Prints what it took. */
import { createReadStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { collectCli } from '../src/agents/cli/collect.ts';
import { builtinCliKinds } from '../src/agents/cli/kinds.ts';
import { createRedactor } from '../src/secrets/redactor.ts';

const [who, name, workDir] = process.argv.slice(2) as ['ours' | 'peer', 'claude', string];

async function ours(): Promise<number> {
  const kind = builtinCliKinds.get(name);
  if (!kind) throw new Error(`there is no kind ${name}`);
  const redactor = createRedactor();
  redactor.register('sk-a-key-that-is-not-there-0123456789');
  writeFileSync(join(workDir, 'stderr'), '');
  const { events } = await collectCli({
    ...{ kind, call: { workDir }, lastMessageFile: undefined, redactor },
    exit: { outcome: { kind: 'exited', exitCode: 0 } },
  });
  return events;
}

async function peer(): Promise<number> {
  let count = 0;
  for await (const line of createInterface({ input: createReadStream(join(workDir, 'stdout')) }))
    if (typeof JSON.parse(line) === 'object') count += 1;
  return count;
}

const started = performance.now();
const count = await (who === 'ours' ? ours() : peer());
const ms = performance.now() - started;
const peakMiB = process.resourceUsage().maxRSS / 1024;
process.stdout.write(JSON.stringify({ ms, peakMiB, count }));

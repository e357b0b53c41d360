/** `npm run bench`: every benchmark, one after another, each in a process of its own. Names: `npm run bench -- routing cli`. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const all = [
  'routing',
  'ledger',
  'aggregator',
  'dispatch',
  'cli',
  'latency',
  'run-files',
  'workflows',
  'daemon',
  'watch',
  'sandbox',
  'limits',
  'restart',
  'telling',
  'agents',
];
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`no benchmark "${unknown.join('", "')}"; there are ${all.join(', ')}\n`);
  process.exit(2);
}
for (const name of wanted.length > 0 ? wanted : all) {
  process.stdout.write(`\n── ${name}\n`);
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, `${name}.ts`)], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = 1;
}

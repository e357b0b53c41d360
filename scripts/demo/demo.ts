/**
 * `npm run demo`: a real daemon on `demo/`, files dropped the way people drop them (copied, moved, written slowly), and
 * what came of it. No key, no network. Everything is left in place to look at; the next demo starts from nothing.
 */
import { cpSync, existsSync, globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Client } from '../../src/cli/client.ts';
import type { StatusReport } from '../../src/operations/status.ts';
import { socketPath } from '../../src/server/socket-path.ts';
import { demoConfig } from './demo-config.ts';
import { dropAll } from './drops.ts';
import { startDaemon } from './start-daemon.ts';

const repository = join(import.meta.dirname, '../..');
const project = join(repository, 'demo');
const drops = join(repository, 'scripts/demo/files');
const DEADLINE_MS = 60_000;

rmSync(project, { recursive: true, force: true });
mkdirSync(join(project, 'config'), { recursive: true });
mkdirSync(join(project, 'inbox'));
writeFileSync(join(project, 'config/orchestrator.yaml'), demoConfig);
cpSync(join(repository, 'scripts/demo/tools'), join(project, 'tools'), { recursive: true });

say(`starting a daemon on ${relative(process.cwd(), project) || project}/`);
await using daemon = await startDaemon({ repository, project, onLine: say });
const client = new Client(socketPath(join(project, '.sluice'), process.env));

const expected = await dropAll({ from: drops, inbox: join(project, 'inbox'), say });
await until('every file has its receipt', async () => {
  const { queue } = await client.get<StatusReport>('/api/status');
  const open = queue.queued + queue.running + queue.waiting;
  const receipts = countReceipts();
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${receipts}/${expected} receipts, ${open} open`);
  return open === 0 && receipts >= expected;
});
if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
const { files } = await client.get<StatusReport>('/api/status');
await daemon.stop();

const overview = join(project, 'processed/index.html');
if (!existsSync(overview)) throw new Error(`the overview is missing: ${overview}`);
process.stdout.write(`
overview   ${relative(process.cwd(), overview)}   (open it in a browser)
receipts   ${countReceipts()} for ${expected} files: ${Object.entries(files)
  .map(([disposition, n]) => `${n} ${disposition}`)
  .join(', ')}
try next   cd demo && node ../bin/sluice.js start        then drop files into demo/inbox
           node ../bin/sluice.js why inbox/orders/import-bad-rows.csv
           node ../bin/sluice.js jobs list --state failed
`);

function countReceipts(): number {
  return globSync('processed/files/**/receipt.json', { cwd: project }).length;
}

function say(line: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${line}\n` : `${line}\n`);
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`gave up after ${DEADLINE_MS / 1000} s waiting until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

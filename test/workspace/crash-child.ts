/**
 * Promotes, and ends itself by SIGKILL before the n-th call that changes the file system.
 *
 *     node crash-child.ts <state folder> <n>
 */
import { join } from 'node:path';
import { createWorkspaces } from '../../src/workspace/workspaces.ts';
import { beforeEveryCall } from './calls.ts';

const [stateDir, n] = process.argv.slice(2) as [string, string];
let calls = 0;
beforeEveryCall(() => {
  if (calls++ === Number(n)) process.kill(process.pid, 'SIGKILL');
});
const spaces = createWorkspaces({ stateDir, now: Date.now });
await spaces.promote({ jobId: 'job', from: join(stateDir, 'work/job/1/workspace') });
process.stdout.write(String(calls));

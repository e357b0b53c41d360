/** Host lists by sandbox-runtime: an allowed host is reached, another one is not, and the files are as confined as ever. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { hostsProblem } from '../../src/sandbox/hosts.ts';
import { findTool } from '../../src/sandbox/probe.ts';
import { argumentsWith } from '../torture/marks.ts';
import type { Job, Ran } from './fixtures/confined.ts';
import { noSandbox, strict, tree } from './rig.ts';

const path = '/usr/local/bin:/usr/bin:/bin';
const missing =
  noSandbox ?? hostsProblem(path)?.message ?? (findTool('curl', path) ? undefined : 'curl is not installed');

test.skipIf(missing !== undefined)(
  `hosts that are named, and no others (${missing ?? 'works here'})`,
  async () => {
    const shown: string[] = [];
    const server = createServer((_request, response) => {
      shown.push(...argumentsWith('key-of-the-command'));
      response.end('hello');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const dir = tree({ 'project/inbox/a.txt': 'a', 'project/.sluice/token': 'token', 'home/key': 'key' });
    // Through the proxy also for this machine: programs usually leave it out for names like this one.
    const get = (host: string) => `curl -sS -m 5 --noproxy '' http://${host}:${port}/ 2>&1; true`;
    const script = [
      'echo "pid $$" > "$SLUICE_OUTPUT_DIR/made"',
      get('localhost'),
      'echo',
      get('other.example'),
      'echo',
      `env -u http_proxy -u HTTP_PROXY -u all_proxy -u ALL_PROXY ${get('127.0.0.1')}`,
      `cat ${dir}/home/key 2>&1; cat ${dir}/project/.sluice/token 2>&1; cat ${dir}/project/inbox/a.txt; echo`,
      `echo x 2>&1 > ${dir}/project/x; touch "$HOME/own" "$TMPDIR/own" && echo private`,
      'echo "it has $KEY and $PATH"',
      'exit 7',
    ].join('\n');
    const sandbox = { ...strict, network: ['localhost'] };
    const job: Job = {
      ...{
        projectDir: join(dir, 'project'),
        rootDirs: [join(dir, 'project/inbox')],
        home: join(dir, 'home'),
      },
      ...{ inputs: [], path, protectedPaths: [], runs: [{ argv: ['bash', '-c', script], sandbox }] },
    };
    writeFileSync(join(dir, 'job.json'), JSON.stringify(job));
    // Not waited for in this thread: the server is in it.
    const child = spawn(process.execPath, [
      join(import.meta.dirname, 'fixtures/confined.ts'),
      join(dir, 'job.json'),
    ]);
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    await once(child, 'close');
    const [ran] = JSON.parse(text) as Ran[];
    const lines = ran?.stdout.split('\n') ?? [];
    expect(ran?.report).toMatchObject({
      mode: 'required',
      backend: 'sandbox-runtime',
      network: ['localhost'],
    });
    expect(lines[0]).toBe('hello');
    expect(lines[1]).not.toContain('hello');
    expect(ran?.stdout).toMatch(/Failed to connect|Couldn't connect/);
    expect(ran?.stdout).toMatch(/home\/key: No such file[\s\S]*token: No such file[^\n]*\na\n/);
    expect(ran?.stdout).toContain('private');
    expect(ran?.stdout).toContain('Read-only file system');
    // Its environment reaches it, and no command line.
    expect(ran?.stdout).toContain(`it has key-of-the-command-7731 and ${path}\n`);
    expect(shown).toEqual([]);
    expect(ran?.code).toBe(7);
    expect(readFileSync(join(ran?.workDir ?? '', 'outputs/made'), 'utf8')).toMatch(/^pid/);
  },
);

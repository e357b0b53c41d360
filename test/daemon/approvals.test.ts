import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { anyDisk, jobsOf, resultOf } from './agents.ts';
import { makeProject, until } from './project.ts';

const hasBwrap = spawnSync('bwrap', ['--ro-bind', '/', '/', 'true']).status === 0;

test.skipIf(!hasBwrap)(
  'git push waits for a person: approved it goes on, refused the job fails',
  async () => {
    const project = makeProject(`
routing_rules: [{ name: all, pattern: "**", agent: work }]
agents:
  work:
    kind: command
    command: [sh, -c, 'git push --dry-run nowhere main; code=$?; echo "push gave $code"; [ -e lenient ] || exit $code']
    retry: { attempts: 1 }
    sandbox: { mode: required, network: none }
concurrency_limits: { max_processes: 2 }
${anyDisk}`);
    await project.start();
    project.write('inbox/yes.txt', 'yes');
    project.write('inbox/no.txt', 'no');
    await until('both ask', async () => {
      const { conditions } = await project.status();
      return conditions.filter(({ code }) => code === 'APPROVAL_WANTED').length === 2;
    });
    const { stdout } = await project.sluice('status');
    expect(stdout).toContain('git push --dry-run nowhere main');
    expect(stdout).toContain('sluice jobs approve');
    const jobs = await jobsOf(project);
    const id = (path: string): string => jobs.find(({ input }) => input.path === path)?.job_id ?? '';
    expect(jobs.map(({ state }) => state)).toEqual(['running', 'running']);
    expect((await project.sluice('jobs', 'approve', id('yes.txt').slice(0, 8))).code).toBe(0);
    expect((await project.sluice('jobs', 'refuse', id('no.txt').slice(0, 8))).code).toBe(0);
    await until('both have ended', () => project.receipts().length === 2);
    // git itself refuses: there is no such remote. That it was asked is what counts.
    expect(project.receipt('yes.txt')).toMatchObject({ state: 'failed', reason: 'exit_code' });
    expect(resultOf(project, 'yes.txt')).toContain('push gave 128');
    expect(project.receipt('no.txt')?.state).toBe('failed');
    expect(['permission_denied', 'exit_code']).toContain(project.receipt('no.txt')?.reason);
    expect(resultOf(project, 'no.txt')).not.toContain('push gave 128');
    await until('nobody asks any more', async () => {
      const { conditions } = await project.status();
      return !conditions.some(({ code }) => code === 'APPROVAL_WANTED');
    });
    expect((await project.sluice('jobs', 'approve', id('yes.txt'))).code).toBe(1);
  },
);

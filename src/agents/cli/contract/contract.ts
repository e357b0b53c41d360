/**
 * What every agent kind has to keep, as checks that any test runner can run (`sluice/plugin/contract`). The same ones are
 * run over the kinds that come with Sluice: what a plugin must do is what they do.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fieldProblems } from '../../plugins/shape.ts';
import type { CliKind } from '../kind.ts';
import { cureChecks } from './cure-checks.ts';
import { launchChecks } from './launch-checks.ts';
import { readerChecks } from './reader-checks.ts';
import type { ContractCheck, KindSamples } from './samples.ts';

export type { ContractCheck, KindRecording, KindSamples } from './samples.ts';

export function agentKindContract(kind: CliKind, samples: KindSamples): readonly ContractCheck[] {
  return [
    {
      name: 'describes itself',
      run: () => {
        assert.deepEqual(fieldProblems(kind as unknown as Readonly<Record<string, unknown>>), []);
      },
    },
    {
      name: 'says who is logged in without asking anybody, and nobody where there is nothing',
      run: async () => {
        const { state, detail } = await kind.loginState({ env: {}, home: '/nonexistent/home' });
        assert.ok(state === 'logged_out' || state === 'unknown', `it says ${state}`);
        assert.equal(typeof detail, 'string');
      },
    },
    {
      name: 'tells how to go on with a session as a line that a shell takes as it is meant',
      run: () => {
        const id = '11111111-1111-4111-8111-111111111111';
        const plain = kind.resume(id, '/work');
        if (plain === undefined) return;
        assert.ok(plain.includes(id), 'the line does not name the session');
        const folder = "/it's a `folder` (of $HOME);";
        const odd = kind.resume(id, folder) ?? '';
        const { status, stdout, stderr } = wordsOfShell(odd);
        assert.equal(status, 0, `the folder is not quoted: ${odd}\n${stderr}`);
        if (plain.includes('/work'))
          assert.ok(
            stdout.split('\0').some((word) => word.endsWith(folder)),
            `a shell takes the folder for something else: ${odd}`,
          );
      },
    },
    ...launchChecks(kind, samples),
    ...readerChecks(kind, samples),
    ...cureChecks(kind, samples),
  ];
}

/** The words of the first command of a line, as a shell reads them. Nothing is run: there are no programs on this PATH. */
function wordsOfShell(line: string) {
  const options = { encoding: 'utf8', env: { PATH: '/nonexistent', HOME: '/home/somebody' } } as const;
  const parsed = spawnSync('/bin/sh', ['-n', '-c', line], options);
  return parsed.status === 0
    ? spawnSync('/bin/sh', ['-c', `printf '%s\\0' ${line.split(' && ', 1)[0]}`], options)
    : parsed;
}

/** What a kind says would cure a denial or a fault is what its own next launch does with it. */
import assert from 'node:assert/strict';
import type { Cure } from '../../../types/agent-cli.ts';
import type { CliKind, LaunchRequest } from '../kind.ts';
import { plainRequest } from '../plain-request.ts';
import { read } from './reader-checks.ts';
import type { ContractCheck, KindSamples } from './samples.ts';

export function cureChecks(
  kind: Pick<CliKind, 'launch' | 'read'>,
  { recordings, ignoresAccess, ignoresDirectories }: KindSamples,
): readonly ContractCheck[] {
  const isIgnored = (cure: Cure): boolean =>
    (cure.kind === 'access' && ignoresAccess === true) ||
    (cure.kind === 'directory' && ignoresDirectories === true);
  return [
    {
      name: 'is started in another way after a denial or fault that it names a cure for',
      run: () => {
        for (const recording of recordings) {
          const { denials, faults } = read(kind, recording).report;
          for (const { cure } of [...denials, ...faults]) {
            if (cure === undefined || isIgnored(cure)) continue;
            const said = `"${recording.name}": ${JSON.stringify(cure)}`;
            const cured = kind.launch(plainRequest(requestWith(cure)));
            if (cure.kind === 'without_flag')
              assert.ok(!cured.args.includes(cure.flag), `the flag is still there, ${said}`);
            else assert.notDeepEqual(cured, kind.launch(plainRequest()), `nothing changes, ${said}`);
          }
        }
      },
    },
  ];
}

function requestWith(cure: Cure): Partial<LaunchRequest> {
  switch (cure.kind) {
    case 'access':
      return { access: cure.access };
    case 'directory':
      return { directories: [cure.path], ...(cure.write && { access: 'edit' }) };
    case 'tool':
      return { tools: [cure.tool] };
    case 'skip_git_check':
      return { skipGitCheck: true };
    case 'without_flag':
      return { withoutFlags: [cure.flag] };
    default:
      return cure satisfies never;
  }
}

/** A launch is a pure description: it can be asked for twice, it says where the prompt goes, it keeps to what is allowed. */
import assert from 'node:assert/strict';
import { launchProblem } from '../../plugins/launch-problem.ts';
import type { CliKind, Launch, LaunchRequest } from '../kind.ts';
import { plainRequest } from '../plain-request.ts';
import type { ContractCheck, KindSamples } from './samples.ts';

/** Linux takes no longer argument. */
const maxArgument = 128 * 1024;

export function launchChecks(
  kind: Pick<CliKind, 'launch'>,
  samples: Pick<KindSamples, 'takesPromptAsArgument' | 'ignoresAccess' | 'ignoresDirectories'>,
): readonly ContractCheck[] {
  const launch = (more: Partial<LaunchRequest> = {}): Launch => kind.launch(frozen(plainRequest(more)));
  return [
    {
      name: 'gives a launch for whatever it is asked, in the folder of the job, and the same each time',
      run: () => {
        for (const request of requests) {
          const given = launch(request);
          assert.equal(launchProblem(given, plainRequest(request).workDir), undefined);
          assert.deepEqual(launch(request), given);
        }
      },
    },
    {
      name: 'hands over the prompt whole, whatever it looks like and however long it is',
      run: () => {
        for (const prompt of ['--help', '-p x; rm "$HOME" `ls`\n\n', `${'long '.repeat(80_000)}end`]) {
          const given = launch({ prompt });
          const variables = Object.values(given.env);
          assert.ok(
            [...given.args, ...variables].every((word) => Buffer.byteLength(word) < maxArgument),
            'an argument or a variable is longer than the system takes',
          );
          assert.ok(
            !variables.some((value) => value.includes(prompt)),
            'the prompt stands in a variable, which everything that is started inherits',
          );
          const at = given.args.findIndex((arg) => arg.includes(prompt));
          if (given.stdin?.includes(prompt)) {
            assert.equal(at, -1, 'the prompt is an argument and on stdin');
            continue;
          }
          assert.ok(
            at >= 0 || given.files.some(([, content]) => content.includes(prompt)),
            'the prompt is neither on stdin nor in an argument nor in a file',
          );
          assert.ok(samples.takesPromptAsArgument, 'the prompt is not on stdin');
          if (at < 0) continue;
          const [word = '', before = ''] = [given.args[at], given.args[at - 1]];
          assert.ok(
            before.startsWith('-') || word.startsWith('-') === word.startsWith('--help'),
            'a prompt that begins with "-" would be taken for a flag',
          );
        }
      },
    },
    ...(samples.ignoresAccess
      ? []
      : [
          {
            name: 'is started differently when it may only look and when it may do anything',
            run: () => assert.notDeepEqual(launch({ access: 'read' }), launch({ access: 'all' })),
          },
        ]),
    ...(samples.ignoresDirectories
      ? []
      : [
          {
            name: 'is given the folders that it may work in',
            run: () => {
              const dir = '/somewhere/else entirely';
              assert.ok(
                JSON.stringify(launch({ access: 'edit', directories: [dir] })).includes(dir),
                'the folder is nowhere in the launch',
              );
            },
          },
        ]),
    {
      name: 'passes on the model that is asked for',
      run: () =>
        assert.ok(
          JSON.stringify(launch({ model: 'vendor/model-x' })).includes('vendor/model-x'),
          'it is not',
        ),
    },
  ];
}

const requests: readonly Partial<LaunchRequest>[] = [
  {},
  { access: 'edit' },
  { access: 'all', isRoot: true, isConfined: false },
  { version: { text: '99.0.0', flags: new Set() } },
  {
    ...{ model: 'm', effort: 'high', maxTurns: 3, maxUsd: 0.5, tools: ['Read', 'Bash(git log:*)'] },
    ...{ access: 'edit', directories: ['/other', '/with space'], skipGitCheck: true },
    schema: { file: '/project/.sluice/work/1/schema.json', schema: { type: 'object' } },
    withoutFlags: ['--verbose'],
    env: { HOME: '/home/somebody', LANG: 'C.UTF-8' },
    options: { any: ['thing', 1, null] },
  },
];

/** What changes its request throws. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !(value instanceof Set)) {
    Object.values(value).forEach(frozen);
    Object.freeze(value);
  }
  return value;
}

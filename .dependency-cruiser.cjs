/**
 * Who may import whom: each folder only those on its left, and itself (ARCHITECTURE.md, "The house"). What must flow the
 * other way is an event, or a function handed in by the composition root.
 */
const ranks = [
  ['types', 'expressions', 'config', 'secrets', 'logging', 'sockets'],
  ['ledger'],
  ['router', 'cache', 'conditions', 'sandbox', 'sessions', 'schedules'],
  ['watch', 'agents', 'workspace'],
  ['coordinator'],
  ['reviews'],
  ['aggregator', 'workflows'],
  ['engine'],
  ['operations'],
  ['server', 'service'],
];
const folders = ranks.flat();

/** `types` may name shapes of `config`; within one rank folders do not know each other otherwise. */
const sideways = {
  types: ['config'],
  secrets: ['types', 'config'],
  expressions: ['types'],
  config: ['types', 'expressions'],
  logging: ['types', 'config'],
  sockets: ['types'],
};

const rules = ranks.flatMap((rank, at) =>
  rank.map((folder) => {
    const allowed = [folder, ...ranks.slice(0, at).flat(), ...(sideways[folder] ?? [])];
    const refused = folders.filter((other) => !allowed.includes(other));
    return {
      name: `${folder}-imports-downwards`,
      comment: `src/${folder} may import: ${allowed.join(', ')}`,
      severity: 'error',
      from: { path: `^src/${folder}/` },
      to: { path: `^src/(${[...refused, 'cli'].join('|')})/|^src/daemon\\.ts$` },
    };
  }),
);

module.exports = {
  forbidden: [
    ...rules,
    {
      name: 'only-the-command-line-starts-a-daemon',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/' },
      to: { path: '^src/daemon\\.ts$' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only', 'dynamic-import'] } },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: '^src/types/' },
      to: {},
    },
    {
      name: 'typebox-only-at-build-time',
      comment: 'It takes 70 ms to load; the validator is generated.',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: '^src/config/(schema[a-z-]*|published-schema)\\.ts$',
      },
      to: { path: 'node_modules/typebox', dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types'],
    },
  },
};

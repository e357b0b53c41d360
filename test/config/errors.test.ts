/** Every error: where it is reported, under which code, and that message and fix name what matters. */
import { expect, test } from 'vitest';
import { brief, errorsOf } from './project.ts';

interface Case {
  readonly name: string;
  readonly text: string;
  readonly at: string | readonly string[];
  readonly message?: RegExp;
  readonly fix?: RegExp;
  readonly files?: Record<string, string>;
}

const inspect = 'agents: { inspect: { kind: builtin } }\n';
const rule = (body: string) => `routing_rules:\n  - pattern: "**"\n${body}${inspect}`;
const command = (body: string) => `agents:\n  lint:\n    kind: command\n${body}`;

const cases: readonly Case[] = [
  // the text
  { name: 'only comments', text: '# nothing\n', at: '1:1 MISSING_KEY', message: /empty/ },
  { name: 'a list', text: '- a\n- b\n', at: '1:1 WRONG_TYPE', message: /mapping/ },
  { name: 'a word', text: 'hello\n', at: '1:1 WRONG_TYPE', message: /"hello"/ },
  {
    name: 'tab as indentation',
    text: 'watch:\n\t- path: ./inbox\n',
    at: '2:1 SYNTAX',
    message: /tab/,
    fix: /spaces/,
  },
  {
    name: 'a key of an entry that stands too far left',
    text: `routing_rules:\n  - pattern: "**"\n    agent: inspect\n   priority: 3\n${inspect}`,
    at: '4:1 SYNTAX',
    message: /begins neither/,
    fix: /^Line it up/,
  },
  { name: 'missing colon', text: 'version: 1\nwatch\nagents: {}\n', at: '2:1 SYNTAX', fix: /colon/ },
  {
    name: 'open bracket',
    text: 'watch: [{ path: ./inbox }\nagents: {}\n',
    at: '1:8 SYNTAX',
    message: /\[ is never closed/,
  },
  { name: 'open quote', text: 'version: 1\ncache: { ttl: "30d }\n', at: '2:15 SYNTAX' },
  { name: 'two documents', text: 'version: 1\n---\nversion: 1\n', at: '2:1 SYNTAX', fix: /---/ },
  { name: 'unknown alias', text: 'agents: *nope\n', at: '1:9 SYNTAX', message: /\*nope/ },
  { name: 'alias in itself', text: 'agents: &a\n  x: *a\n', at: '2:6 SYNTAX', message: /contains itself/ },
  { name: 'tag', text: 'version: !number 1\n', at: '1:10 SYNTAX', message: /!number/ },
  {
    name: 'duplicate key',
    text: 'cache: { ttl: 1d }\nversion: 1\ncache: { ttl: 2d }\n',
    at: '3:1 DUPLICATE_KEY',
    message: /line 1/,
  },
  { name: 'key that is a list', text: '? [a]\n: 1\n', at: '1:3 SYNTAX' },
  { name: 'CRLF', text: 'version: 1\r\nwach: []\r\n', at: '2:1 UNKNOWN_KEY', fix: /"watch"/ },
  { name: 'byte order mark', text: '\ufeffversion: 1\nwach: []\n', at: '2:1 UNKNOWN_KEY' },
  // keys and types
  {
    name: 'unknown key',
    text: 'version: 1\nrouting_rule: []\n',
    at: '2:1 UNKNOWN_KEY',
    message: /"routing_rule"/,
    fix: /did you mean "routing_rules"\? Allowed keys: version, watch/,
  },
  {
    name: 'unknown key without a near one',
    text: 'zzzzzzz: 1\n',
    at: '1:1 UNKNOWN_KEY',
    fix: /^Allowed keys/,
  },
  { name: 'camelCase', text: 'concurrencyLimits: {}\n', at: '1:1 UNKNOWN_KEY', fix: /"concurrency_limits"/ },
  { name: 'merge key', text: 'agents:\n  <<: { a: 1 }\n', at: ['2:3 BAD_VALUE'] },
  { name: 'constructor is no key', text: 'constructor: 1\n', at: '1:1 UNKNOWN_KEY' },
  { name: '__proto__ is no key', text: '__proto__: 1\n', at: '1:1 UNKNOWN_KEY' },
  {
    name: 'unknown key in a root',
    text: 'watch:\n  - path: ./inbox\n    ignored: []\n',
    at: '3:5 UNKNOWN_KEY',
    fix: /"ignore"/,
  },
  {
    name: 'unknown key in a rule',
    text: rule('    agent: inspect\n    patern: x\n'),
    at: '4:5 UNKNOWN_KEY',
    fix: /"pattern"/,
  },
  {
    name: 'key of another kind',
    text: 'agents:\n  a:\n    kind: builtin\n    url: http://x\n',
    at: '4:5 UNKNOWN_KEY',
    fix: /kind: http/,
  },
  { name: 'version 2', text: 'version: 2\n', at: '1:10 BAD_VALUE', message: /must be 1, found 2/ },
  {
    name: 'watch is a word',
    text: 'watch: ./inbox\n',
    at: '1:8 WRONG_TYPE',
    message: /list/,
    fix: /\[\.\/inbox\]/,
  },
  { name: 'no roots', text: 'watch: []\n', at: '1:8 BAD_VALUE', message: /not empty/ },
  { name: 'root without path', text: 'watch:\n  - name: a\n', at: '2:5 MISSING_KEY', message: /`path`/ },
  {
    name: 'root is a word',
    text: 'watch:\n  - ./inbox\n',
    at: '2:5 WRONG_TYPE',
    message: /`watch\[0\]` must be a mapping/,
  },
  {
    name: 'priority is a word',
    text: rule('    agent: inspect\n    priority: high\n'),
    at: '4:15 WRONG_TYPE',
    message: /rule "\*\*".*whole number.*"high"/,
  },
  {
    name: 'boolean as text',
    text: 'output_settings: { preserve_original: "yes" }\n',
    at: '1:39 WRONG_TYPE',
    fix: /true/,
  },
  {
    name: 'rule without pattern',
    text: `routing_rules:\n  - agent: inspect\n${inspect}`,
    at: '2:5 MISSING_KEY',
    message: /pattern/,
  },
  {
    name: 'agent without kind',
    text: 'agents:\n  a: { command: [x] }\n',
    at: '2:3 MISSING_KEY',
    fix: /kind: command/,
  },
  {
    name: 'agent of unknown kind',
    text: 'agents:\n  a: { kind: comand }\n',
    at: '2:14 BAD_VALUE',
    fix: /"command"/,
  },
  { name: 'agent is empty', text: 'agents:\n  a:\n', at: '2:3 WRONG_TYPE', message: /found nothing/ },
  {
    name: 'agent with a bad name',
    text: 'agents:\n  "a b": { kind: builtin }\n',
    at: '2:3 BAD_VALUE',
    message: /"a b"/,
  },
  {
    name: 'an agent whose name is digits',
    text: 'agents:\n  7: { kind: builtin, timeout: x }\n',
    at: '2:32 BAD_VALUE',
    message: /agent "7"/,
  },
  // values
  { name: 'duration without unit', text: 'cache: { ttl: 30 }\n', at: '1:15 WRONG_TYPE', fix: /`30s`/ },
  { name: 'duration with a bad unit', text: 'cache: { ttl: 30y }\n', at: '1:15 BAD_VALUE', message: /"30y"/ },
  {
    name: 'duration too long for a timer',
    text: command('    command: [true]\n    timeout: 25d\n').replace('[true]', '["true"]'),
    at: '5:14 BAD_VALUE',
    message: /24d/,
  },
  {
    name: 'duration of zero',
    text: command('    command: ["true"]\n    timeout: 0s\n'),
    at: '5:14 BAD_VALUE',
  },
  { name: 'size without unit', text: 'cache: { max_bytes: 1000 }\n', at: '1:21 WRONG_TYPE', fix: /`1000B`/ },
  { name: 'size in lower case', text: 'cache: { max_bytes: 10mb }\n', at: '1:21 BAD_VALUE', fix: /10MiB/ },
  {
    name: 'mode',
    text: 'watch:\n  - path: ./inbox\n    mode: natve\n',
    at: '3:11 BAD_VALUE',
    fix: /"native"/,
  },
  {
    name: 'change type',
    text: 'watch:\n  - path: ./inbox\n    on: [added, deleted]\n',
    at: '3:17 BAD_VALUE',
    fix: /added, changed/,
  },
  {
    name: 'log level',
    text: 'output_settings: { log_level: WARN }\n',
    at: '1:31 BAD_VALUE',
    fix: /"WARNING"/,
  },
  {
    name: 'file mode as a number',
    text: 'output_settings: { file_mode: 0644 }\n',
    at: '1:31 WRONG_TYPE',
    fix: /"0644"/,
  },
  { name: 'file mode', text: 'output_settings: { file_mode: "0999" }\n', at: '1:31 BAD_VALUE' },
  {
    name: 'zero processes',
    text: 'concurrency_limits: { max_processes: 0 }\n',
    at: '1:38 BAD_VALUE',
    message: /from 1/,
  },
  {
    name: 'max_load of zero',
    text: 'agents: { a: { kind: builtin, max_load: 0 } }\n',
    at: '1:41 BAD_VALUE',
    message: /unlimited/,
  },
  // roots
  {
    name: 'root twice',
    text: 'watch:\n  - path: ./inbox\n  - path: inbox/\n    name: other\n',
    at: '3:11 DUPLICATE_NAME',
    message: /line 2/,
  },
  {
    name: 'root name twice',
    text: 'watch:\n  - path: ./inbox\n  - path: ./a/inbox\n',
    at: '3:11 DUPLICATE_NAME',
    message: /"inbox"/,
  },
  {
    name: 'root is a file',
    text: 'watch:\n  - path: ./inbox/.keep\n',
    at: '2:11 BAD_VALUE',
    message: /not a folder/,
  },
  {
    name: 'root in the output',
    text: 'watch:\n  - path: ./processed/files\n',
    at: '2:11 CONFLICT',
    message: /output folder/,
  },
  {
    name: 'root in the state',
    text: 'watch:\n  - path: .sluice/work\n',
    at: '2:11 CONFLICT',
    message: /state folder/,
  },
  {
    name: 'output in the state',
    text: 'output_settings: { default_output_dir: .sluice/out }\n',
    at: '1:40 CONFLICT',
  },
  {
    name: 'root name with a slash',
    text: 'watch:\n  - path: ./inbox\n    name: a/b\n',
    at: '3:11 BAD_VALUE',
    message: /slashes/,
  },
  {
    name: 'marker for all',
    text: 'watch:\n  - path: ./inbox\n    ready: done\n',
    at: '3:12 BAD_VALUE',
    fix: /\{name\}\.done/,
  },
  {
    name: 'marker with an unknown part',
    text: 'watch:\n  - path: ./inbox\n    ready: "{nam}.done"\n',
    at: '3:12 BAD_VALUE',
    message: /\{nam\}/,
  },
  {
    name: 'marker elsewhere',
    text: 'watch:\n  - path: ./inbox\n    ready: "../{name}"\n',
    at: '3:12 BAD_VALUE',
  },
  {
    name: 'marker is the file',
    text: 'watch:\n  - path: ./inbox\n    ready: "{name}"\n',
    at: '3:12 BAD_VALUE',
  },
  // rules
  {
    name: 'unknown agent',
    text: rule('    agent: inspct\n'),
    at: '3:12 UNKNOWN_AGENT',
    message: /"inspct" in rule "\*\*"/,
    fix: /did you mean "inspect"\? Defined agents: inspect\./,
  },
  {
    name: 'unknown watcher',
    text: 'routing_rules:\n  - pattern: "**"\n    watcher: x\n',
    at: '3:14 UNKNOWN_AGENT',
    fix: /Define it/,
  },
  {
    name: 'agent and watcher',
    text: rule('    agent: inspect\n    watcher: inspect\n'),
    at: '4:5 CONFLICT',
    message: /line 3.*line 4/,
  },
  {
    name: 'agent and action',
    text: rule('    action: ignore\n    agent: inspect\n'),
    at: '3:5 CONFLICT',
    message: /line 4.*line 3/,
  },
  { name: 'no target', text: rule('    priority: 1\n'), at: '2:5 MISSING_KEY', message: /no target/ },
  {
    name: 'unknown action',
    text: rule('    action: delete\n'),
    at: '3:13 BAD_VALUE',
    fix: /quarantine, ignore/,
  },
  {
    name: 'expect of an action',
    text: rule('    action: ignore\n    expect: { outputs: [a] }\n'),
    at: '4:5 CONFLICT',
  },
  {
    name: 'rule name twice',
    text: `routing_rules:\n  - { name: a, pattern: "*", agent: inspect }\n  - { name: a, pattern: "x/*", agent: inspect }\n${inspect}`,
    at: '3:13 DUPLICATE_NAME',
    message: /line 2/,
  },
  {
    name: 'open class',
    text: rule('    agent: inspect\n').replace('"**"', '"[a-z"'),
    at: '2:14 BAD_PATTERN',
  },
  {
    name: 'open brace',
    text: rule('    agent: inspect\n').replace('"**"', '"*.{js,ts"'),
    at: '2:14 BAD_PATTERN',
    message: /\*\.\{js,ts/,
  },
  {
    name: 'absolute pattern',
    text: rule('    agent: inspect\n').replace('"**"', '/data/*.csv'),
    at: '2:14 BAD_PATTERN',
    fix: /"data\/\*\.csv"/,
  },
  {
    name: 'pattern out of the root',
    text: rule('    agent: inspect\n').replace('"**"', '../*.csv'),
    at: '2:14 BAD_PATTERN',
  },
  {
    name: 'pattern of a folder',
    text: rule('    agent: inspect\n').replace('"**"', 'docs/'),
    at: '2:14 BAD_PATTERN',
    fix: /docs\/\*\*/,
  },
  {
    name: 'empty pattern',
    text: rule('    agent: inspect\n').replace('"**"', '["*.py", ""]'),
    at: '2:23 BAD_PATTERN',
  },
  {
    name: 'only negations',
    text: rule('    agent: inspect\n').replace('"**"', '["!*.py"]'),
    at: '2:14 BAD_PATTERN',
    message: /takes away/,
  },
  {
    name: 'prompt for the builtin',
    text: rule('    agent: inspect\n    prompt: hi\n'),
    at: '4:5 CONFLICT',
    message: /takes no prompt/,
  },
  {
    name: 'prompt twice',
    text: `routing_rules:\n  - pattern: "**"\n    agent: lint\n    prompt: hi\n    prompt_file: p.md\n${command('    command: ["true"]\n')}`,
    files: { 'p.md': 'hi' },
    at: '5:5 CONFLICT',
    message: /line 4.*line 5/,
  },
  {
    name: 'prompt file missing',
    text: `routing_rules:\n  - pattern: "**"\n    agent: lint\n    prompt_file: p.md\n${command('    command: ["true"]\n')}`,
    at: '4:18 BAD_FILE',
    message: /"p\.md" does not exist/,
  },
  {
    name: 'prompt file empty',
    text: `routing_rules:\n  - pattern: "**"\n    agent: lint\n    prompt_file: p.md\n${command('    command: ["true"]\n')}`,
    files: { 'p.md': ' \n' },
    at: '4:18 BAD_FILE',
    message: /empty/,
  },
  {
    name: 'schema missing',
    text: rule('    agent: inspect\n    expect: { json_schema: s.json }\n'),
    at: '4:28 BAD_FILE',
    message: /does not exist/,
  },
  {
    name: 'schema no JSON',
    text: rule('    agent: inspect\n    expect: { json_schema: s.json }\n'),
    files: { 's.json': '{' },
    at: '4:28 BAD_FILE',
    message: /no valid JSON/,
  },
  {
    name: 'schema not compilable',
    text: rule('    agent: inspect\n    expect: { json_schema: s.json }\n'),
    files: { 's.json': '{"type": "strng"}' },
    at: '4:28 BAD_FILE',
    message: /no usable JSON Schema/,
  },
  {
    name: 'schema refers elsewhere',
    text: rule('    agent: inspect\n    expect: { json_schema: s.json }\n'),
    files: { 's.json': '{"$ref": "http://x/y"}' },
    at: '4:28 BAD_FILE',
  },
  {
    name: 'output out of its folder',
    text: rule('    agent: inspect\n    expect: { outputs: [../x] }\n'),
    at: '4:25 BAD_VALUE',
  },
  // agents
  { name: 'no command', text: command(''), at: '2:3 MISSING_KEY', message: /`command`/ },
  { name: 'empty command', text: command('    command: []\n'), at: '4:14 BAD_VALUE', message: /not empty/ },
  {
    name: 'pipe',
    text: command('    command: cat x | wc\n'),
    at: '4:14 BAD_VALUE',
    message: /"\|"/,
    fix: /sh, -c/,
  },
  {
    name: 'open quote in a command',
    text: command('    command: "echo \'a"\n'),
    at: '4:14 BAD_VALUE',
    message: /not closed/,
  },
  {
    name: 'one word for all',
    text: command('    command: ["python3 a.py"]\n'),
    at: '4:14 BAD_VALUE',
    fix: /\[python3, a\.py\]/,
  },
  {
    name: 'program from the file',
    text: command('    command: ["${{ file.path }}"]\n'),
    at: '4:14 BAD_VALUE',
  },
  {
    name: 'secret in argv',
    text: command('    command: [curl, "${env:TOKEN}"]\n'),
    at: '4:21 BAD_REFERENCE',
    fix: /env/,
  },
  { name: 'secret in a path', text: 'watch:\n  - path: ${env:INBOX}\n', at: '2:11 BAD_REFERENCE' },
  {
    name: 'unknown kind of secret',
    text: 'agents:\n  a:\n    kind: http\n    url: http://x\n    headers: { A: "${evn:TOKEN}" }\n',
    at: '5:19 BAD_REFERENCE',
    fix: /"env"/,
  },
  {
    name: 'bad name of a secret',
    text: 'agents:\n  a:\n    kind: http\n    url: http://x\n    headers: { A: "${env:}" }\n',
    at: '5:19 BAD_REFERENCE',
  },
  {
    name: 'placeholder in a URL',
    text: 'agents:\n  a:\n    kind: http\n    url: http://x/${{ file.name }}\n',
    at: '4:10 BAD_PLACEHOLDER',
  },
  {
    name: 'env of an http agent',
    text: 'agents:\n  a:\n    kind: http\n    url: http://x\n    env: [A]\n',
    at: '5:5 UNKNOWN_KEY',
    fix: /kind: command/,
  },
  { name: 'no URL', text: 'watcher_endpoints:\n  a: localhost\n', at: '2:6 BAD_VALUE', message: /no URL/ },
  {
    name: 'other protocol',
    text: 'watcher_endpoints:\n  a: ftp://localhost\n',
    at: '2:6 BAD_VALUE',
    message: /neither http nor https/,
  },
  { name: 'password in a URL', text: 'watcher_endpoints:\n  a: http://u:p@localhost\n', at: '2:6 BAD_VALUE' },
  {
    name: 'endpoint and agent',
    text: `${inspect}watcher_endpoints:\n  inspect: http://x\n`,
    at: '3:3 DUPLICATE_NAME',
    message: /line 1/,
  },
  {
    name: 'env name',
    text: command('    command: ["true"]\n    env: [A=1]\n'),
    at: '5:11 BAD_VALUE',
    fix: /mapping/,
  },
  {
    name: 'env name of ours',
    text: command('    command: ["true"]\n    env: { SLUICE_FILE: x }\n'),
    at: '5:12 BAD_VALUE',
  },
  {
    name: 'env value is a number',
    text: command('    command: ["true"]\n    env: { PORT: 80 }\n'),
    at: '5:18 WRONG_TYPE',
    fix: /"80"/,
  },
  {
    name: 'header name',
    text: 'agents:\n  a:\n    kind: http\n    url: http://x\n    headers: { "a b": x }\n',
    at: '5:16 BAD_VALUE',
    fix: /HTTP header/,
  },
  {
    name: 'header with a line break',
    text: 'agents:\n  a:\n    kind: http\n    url: http://x\n    headers: { a: "x\\ny" }\n',
    at: '5:19 BAD_VALUE',
  },
  {
    name: 'sandbox off without reason',
    text: command('    command: ["true"]\n    sandbox: { mode: off }\n'),
    at: '5:5 MISSING_KEY',
    message: /reason/,
  },
  {
    name: 'pauses upside down',
    text: 'agents: { a: { kind: builtin, retry: { initial: 10m } } }\n',
    at: '1:49 CONFLICT',
  },
];

test.each(cases)('$name', async ({ text, at, message, fix, files }) => {
  const errors = await errorsOf(text, files);
  expect(errors.map(brief)).toEqual([at].flat());
  if (message) expect(errors[0]?.message).toMatch(message);
  if (fix) expect(errors[0]?.fix).toMatch(fix);
  for (const error of errors) {
    expect(error.fix).not.toBe('');
    expect(error.message).not.toMatch(/undefined|\[object/);
    expect(error.fix).not.toMatch(/undefined|\[object/);
  }
});

test('all errors of a file are reported at once, in its order', async () => {
  const errors = await errorsOf(
    [
      'version: 3',
      'watch:',
      '  - path: ./inbox',
      '    mode: x',
      'version: 1',
      'routing_rules:',
      '  - pattern: "[a"',
      '    agent: nobody',
      'agents:',
      '  a: { kind: builtin, timeout: 5, model: x }',
      'servr: {}',
      '',
    ].join('\n'),
  );
  expect(errors.map(brief)).toEqual([
    '1:10 BAD_VALUE',
    '4:11 BAD_VALUE',
    '5:1 DUPLICATE_KEY',
    '7:14 BAD_PATTERN',
    '8:12 UNKNOWN_AGENT',
    '10:32 WRONG_TYPE',
    '10:35 UNKNOWN_KEY',
    '11:1 UNKNOWN_KEY',
  ]);
});

test('syntax errors come with the errors above them, not with guesses about what follows', async () => {
  const errors = await errorsOf('version: 7\nwatch: [{ path: ./inbox }\nrouting_rules:\n  - agent: x\n');
  expect(errors.map(brief).slice(0, 2)).toEqual(['1:10 BAD_VALUE', '2:8 SYNTAX']);
  expect(errors.slice(1).every((error) => error.code === 'SYNTAX')).toBe(true);
});

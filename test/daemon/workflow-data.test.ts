/** Data stays data: names of files, results and inputs that look like shell, options, expressions or references to secrets. */
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  commandStep as command,
  expectReports,
  runByCommand,
  runToEnd,
  statesOf,
  stepOf,
  workflowProject,
} from './workflow-rig.ts';

const hostile: readonly (string | Buffer)[] = [
  'with space',
  "quo'te",
  'dou"ble',
  '$(touch pwned)',
  '`touch pwned`',
  'a;touch pwned',
  'new\nline',
  '${{ inputs.text }}',
  '$${{ x',
  '${env:SECRET}',
  '$${env:SECRET}',
  '-rf',
  '--help',
  '*',
  '%s',
  '~root',
  '<img src=x onerror=alert(1)>',
  '| table | `code`',
  '\u202egpj.exe',
  Buffer.from('bytes \xff\xfe end', 'latin1'),
];

/** Adds a line with the number of its arguments and their bytes, and those of `$NAME`. */
const recorder = `#!/bin/sh
out=$1; shift; line=$#
for a in "$@" "$NAME"; do line="$line $(printf %s "$a" | od -An -v -tx1 | tr -d ' \\n')"; done
echo "$line" >> "$out"
`;
const record = (file: string, words: string) => `[sh, record.sh, ${file}, ${words}]`;

const hexOf = (name: string | Buffer): string => Buffer.from(name as string).toString('hex');

test('file names stay one argument: items, file_processing, prompts, environment', async () => {
  const project = workflowProject(
    {
      w: `name: w
inputs: { text: { default: no } }
steps:
${command('items', record('items.log', '"${{ item.name }}", "x${{ item.name }}y${{ index }}"'), 'env: { NAME: "${{ item.name }}" }, for_each: "${{ glob(\'hostile/*\') }}"')}  - { name: files, type: file_processing, directory: hostile }
  - { name: agent, type: agent, agent: args, file: "\${{ item.path }}", cache: false, for_each: "\${{ glob('hostile/*') }}" }
`,
    },
    {
      config: `routing_rules: [{ name: all, pattern: "hostile/**", agent: args }]
agents:
  args: { kind: command, command: ${record('files.log', '"${{ file.name }}"')}, sandbox: { mode: auto, write: [project] } }
`,
      env: { SECRET: 's3cr3t-value' },
    },
  );
  project.write('record.sh', recorder);
  mkdirSync(join(project.dir, 'hostile'));
  for (const name of hostile)
    writeFileSync(Buffer.concat([Buffer.from(`${project.dir}/hostile/`), Buffer.from(name as string)]), name);
  const { code, run } = await runByCommand(project, 'w');
  expect(statesOf(run)).toEqual({
    items: 'succeeded',
    files: 'succeeded',
    agent: 'succeeded',
  });
  expect(code).toBe(0);
  expect(stepOf(run, 'agent').agent).toBe('args');
  const lines = (file: string) =>
    readFileSync(join(project.dir, file), 'utf8').split('\n').slice(0, -1).toSorted();
  const names = hostile.map(hexOf);
  const named = [...names].toSorted((a, b) => (`2 ${a}` < `2 ${b}` ? -1 : 1));
  expect(lines('items.log').map((line) => line.replace(/(?<=79)(3\d)+(?= )/, ''))).toEqual(
    named.map((hex) => `2 ${hex} 78${hex}79 ${hex}`),
  );
  // Once by the rule, once by the step.
  expect(lines('files.log')).toEqual([...names, ...names].map((hex) => `1 ${hex} `).toSorted());
  expect(globSync('**/pwned', { cwd: project.dir })).toEqual([]);
  expect(stepOf(run, 'files').outputs).toMatchObject({ total: hostile.length, processed: hostile.length });
  expectReports(project, run);
  const html = readFileSync(join(project.dir, 'processed/workflows/w', run.run_id, 'report.html'), 'utf8');
  expect(html).not.toContain('<img src=x');
});

test('data names no secret: in the environment, in headers, in URLs; and what is secret is in no report', async () => {
  const seen: { url: string | undefined; headers: Record<string, unknown>; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      seen.push({ url: request.url, headers: request.headers, body });
      response.end(`you said ${request.headers.authorization as string}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const project = workflowProject(
    {
      w: `name: w
inputs: { a: {}, b: {}, list: { type: json } }
env: { FROM_RESULT: "\${{ inputs.a }}", REAL: "\${env:SECRET}" }
steps:
${command('says', '[cat, said.txt]')}${command('env', `[sh, -c, 'printf "%s|%s|%s|%s|%s" "$FROM_RESULT" "$PARTS" "$RESULT" "$BOTH" "$REAL" | tee env.log']`, 'env: { PARTS: "${{ inputs.b }}${{ inputs.list[0] }}", RESULT: "${{ steps.says.result }}", BOTH: "<${{ steps.says.result }}>${env:SECRET}" }')}  - name: web
    type: http
    url: "http://127.0.0.1:${port}/\${{ steps.says.result }}?k=\${{ inputs.b }}\${{ inputs.list[0] }}"
    headers:
      Authorization: "Bearer \${env:SECRET}"
      X-Data: "\${{ steps.says.result }}"
      X-Parts: "\${{ inputs.b }}\${{ inputs.list[0] }}"
      X-Dollar: "\${{ '$' }}\${{ inputs.list[1] }}"
    body: { text: "\${{ steps.says.result }}" }
`,
    },
    { env: { SECRET: 's3cr3t-value' } },
  );
  const reference = '${env:SECRET}';
  project.write('said.txt', reference);
  await project.start();
  const run = await runToEnd(project, 'w', {
    a: reference,
    b: '${env',
    list: [':SECRET}', '{env:SECRET}'],
  });
  expect(statesOf(run)).toEqual({ says: 'succeeded', env: 'succeeded', web: 'succeeded' });
  expect(readFileSync(join(project.dir, 'env.log'), 'utf8').split('|')).toEqual([
    reference,
    reference,
    reference,
    `<${reference}>s3cr3t-value`,
    's3cr3t-value',
  ]);
  const [request] = seen;
  expect(request?.headers).toMatchObject({
    authorization: 'Bearer s3cr3t-value',
    'x-data': reference,
    'x-parts': reference,
    'x-dollar': reference,
  });
  expect(decodeURIComponent(request?.url ?? '')).toBe(`/${reference}?k=${reference}`);
  expect(JSON.parse(request?.body ?? '')).toEqual({ text: reference });
  // Nothing that we keep or show holds it.
  expectReports(project, run);
  const kept = globSync('{processed,.sluice}/**/*', { cwd: project.dir, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  expect(kept.length).toBeGreaterThan(5);
  for (const file of kept)
    expect([file, readFileSync(file, 'latin1').includes('s3cr3t-value')]).toEqual([file, false]);
});

/** The workflow of the reference documents, as it stands there, with the configuration beside it: JSON, YAML, in a list. */
import { chmodSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { makeProject, type Project } from '../daemon/project.ts';
import { expectReports, read, runByCommand, statesOf, stepOf } from '../daemon/workflow-rig.ts';

const workflow = {
  name: 'Code Quality Pipeline',
  description: 'Analyze code, generate documentation, and create reports',
  steps: [
    { name: 'analyze_code', type: 'file_processing', directory: './src', recursive: true },
    {
      name: 'generate_docs',
      type: 'custom_command',
      command: 'python generate_docs.py --source ./src --output ./docs',
    },
    {
      name: 'create_report',
      type: 'custom_command',
      command: 'python create_report.py --input ./analysis --output ./report',
    },
  ],
};

const configuration = (port: number) => ({
  routing_rules: [{ pattern: '**/*.py', watcher: 'python-analyzer', priority: 10 }],
  concurrency_limits: { max_processes: 5, max_concurrent_files: 10 },
  output_settings: { default_output_dir: './processed', preserve_original: true, log_level: 'INFO' },
  watcher_endpoints: {
    'python-analyzer': `http://localhost:${port}`,
    'javascript-analyzer': 'http://localhost:8002',
  },
});

/** Stands in for Python: the scripts of the documents are the reader's own. */
const python = `#!/bin/sh
script=$1; shift
while [ $# -gt 0 ]; do case $1 in --output) out=$2;; --source|--input) in=$2;; esac; shift 2; done
mkdir -p "$out" && ls "$in" > "$out/list.txt" && echo "$script made $out of $in"
`;

async function analyzer(): Promise<{ readonly port: number; readonly paths: readonly string[] }> {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('latin1').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      paths.push(/"path":\s*"([^"]+)"/.exec(body)?.[1] ?? '?');
      response.end('analyzed');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, paths };
}

async function documentsProject(form: string): Promise<{ project: Project; paths: readonly string[] }> {
  const { port, paths } = await analyzer();
  const env: NodeJS.ProcessEnv = {};
  const project = makeProject('', { env });
  project.write('config/orchestrator.yaml', stringify(configuration(port)));
  chmodSync(project.write('tools/python', python), 0o755);
  env.PATH = `${join(project.dir, 'tools')}:${process.env.PATH}`;
  const files: Readonly<Record<string, [string, string]>> = {
    JSON: ['workflows/code-quality.json', JSON.stringify(workflow, null, 2)],
    YAML: ['workflows/code-quality.yaml', stringify(workflow)],
    'a list': ['workflows/all.yml', stringify([workflow, { ...workflow, name: 'Another' }])],
  };
  const [file, text] = files[form] as [string, string];
  project.write(file, text);
  for (const name of ['src/a.py', 'src/deep/b.py', 'src/readme.txt', 'src/node_modules/no.py', 'analysis/x'])
    project.write(name, `content of ${name}`);
  return { project, paths };
}

test.each(['JSON', 'YAML', 'a list'])('it runs unchanged: %s', async (form) => {
  const { project, paths } = await documentsProject(form);
  const { code, run, stderr } = await runByCommand(project, 'Code Quality Pipeline');
  expect(stderr).toBe('');
  expect(statesOf(run)).toEqual({
    analyze_code: 'succeeded',
    generate_docs: 'succeeded',
    create_report: 'succeeded',
  });
  expect([code, run.state]).toEqual([0, 'succeeded']);
  expect(paths.toSorted()).toEqual(['src/a.py', 'src/deep/b.py']);
  expect(stepOf(run, 'analyze_code').outputs).toMatchObject({
    processed: 2,
    unrouted: 1,
    failed: 0,
    total: 3,
  });
  expect(stepOf(run, 'generate_docs').result).toBe('generate_docs.py made ./docs of ./src\n');
  expect(read(project, 'docs/list.txt')).toContain('a.py');
  expect(read(project, 'report/list.txt')).toBe('x\n');
  expectReports(project, run);
});

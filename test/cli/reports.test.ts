/** `sluice run --report`: what CI reads, with and without a daemon. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeProject } from '../daemon/project.ts';

const config = `
routing_rules:
  - { name: bad, pattern: "**/*.bad", agent: fails }
  - { name: all, pattern: "**", agent: copy }
agents:
  copy: { kind: command, command: [cat, "\${{ file.path }}"] }
  fails: { kind: command, command: [sh, -c, "echo 'error: no good' >&2; exit 3"], retry: { attempts: 1 } }
daemon: { min_free_disk: 1MiB }
`;

test.each(['alone', 'through a daemon'])('JUnit and SARIF name what failed, %s', async (how) => {
  const project = makeProject(config);
  if (how !== 'alone') await project.start();
  for (let n = 0; n < 5; n++) project.write(`inbox/sub dir/f${n}.txt`, `${n}`);
  project.write('inbox/sub dir/x&y.bad', 'bad');

  const { code } = await project.sluice('run', '--report', 'junit=out.xml,sarif=out.sarif');
  expect(code).toBe(1);
  const junit = readFileSync(join(project.dir, 'out.xml'), 'utf8');
  expect(junit.match(/<testcase /g)).toHaveLength(6);
  expect(junit.match(/<failure /g)).toHaveLength(1);
  expect(junit).toContain('x&amp;y.bad');

  const sarif = JSON.parse(readFileSync(join(project.dir, 'out.sarif'), 'utf8'));
  const [run] = sarif.runs;
  expect(run.results).toHaveLength(1);
  const { uri, uriBaseId } = run.results[0].locations[0].physicalLocation.artifactLocation;
  expect([run.originalUriBaseIds[uriBaseId].uri, uri]).toEqual(['inbox/', 'sub%20dir/x%26y.bad']);
});

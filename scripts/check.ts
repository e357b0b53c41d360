/**
 * `npm run check`: the one gate, here and in CI. Each step prints its own findings; all of them run, so that one call
 * shows everything, except that the tests are kept for a tree that passes the rest.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const bin = (name: string): string => join(root, 'node_modules/.bin', name);

interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

const steps: readonly Step[] = [
  { name: 'format and lint', command: [bin('biome'), 'ci', '--error-on-warnings', '.'] },
  { name: 'types', command: [bin('tsc'), '-p', '.'] },
  { name: 'import direction', command: [bin('depcruise'), '--config', '.dependency-cruiser.cjs', 'src'] },
  { name: 'generated files', command: [process.execPath, 'scripts/generate.ts', '--check'] },
  { name: 'links', command: [process.execPath, 'scripts/check-links.ts'] },
];

const failed = steps.filter(({ name, command: [command, ...args] }) => {
  process.stdout.write(`\n── ${name}\n`);
  return spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status !== 0;
});
if (failed.length > 0) {
  process.stderr.write(`\nfailed: ${failed.map(({ name }) => name).join(', ')} (the tests did not run)\n`);
  process.exit(1);
}
process.stdout.write('\n── tests\n');
process.exit(spawnSync('npm', ['test'], { cwd: root, stdio: 'inherit' }).status ?? 1);

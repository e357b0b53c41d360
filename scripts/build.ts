/** `npm run build`: src → dist. Only what changed is compiled; what has no source any more is removed. */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const tsc = join(root, 'node_modules/typescript/bin/tsc');
try {
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
} catch {
  process.exit(1);
}
for (const file of globSync('dist/**/*.{js,d.ts}', { cwd: root })) {
  const source = join(root, file.replace(/^dist/, 'src').replace(/\.(d\.ts|js)$/, '.ts'));
  if (!existsSync(source)) rmSync(join(root, file));
}

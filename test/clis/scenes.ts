/** What several of the CLIs are made to play. */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../cli/sluice.ts';
import { withArgument } from '../torture/marks.ts';
import type { Rig } from './rig.ts';

/** Of the stub, by whichever pointer. */
export const key = 'stub-key-0000';

/** Of an answer, with what one of them or another does not know: an enumeration, a bound, a field that may be missing. */
export const verdictSchema = {
  type: 'object',
  required: ['verdict'],
  properties: { verdict: { enum: ['good', 'bad'] }, score: { type: 'integer', minimum: 1 } },
};

/** A file on which it runs a command that does not end by itself. */
export function tail(rig: Rig) {
  rig.play('tail');
  const file = `${randomUUID()}.md`;
  const runs = () => withArgument(`inbox/${file}`).length > 0;
  return {
    file,
    runs,
    begins: async () => {
      rig.define('tail', [{ tool: 'shell', command: `tail -f inbox/${file}` }, { text: 'Done.' }]);
      rig.drop({ [file]: '# Title\n' });
      await until('the command runs', runs, 60_000);
    },
  };
}

/** Files in a folder that hold a text; links are not followed. */
export function filesWith(dir: string, text: string): readonly string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((file) => readFileSync(file, 'latin1').includes(text));
}

/** The templates of `sluice workflow new`: the projects in `examples/` of this package, which people can read as well. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseDocument } from 'yaml';

export interface WorkflowTemplate {
  readonly name: string;
  /** One line. */
  readonly description: string;
  /** The whole small project. */
  readonly dir: string;
  /** Its workflow file. */
  readonly file: string;
}

export function readTemplates(): readonly WorkflowTemplate[] {
  const examples = fileURLToPath(new URL('../../examples', import.meta.url));
  if (!existsSync(examples)) return [];
  return readdirSync(examples)
    .toSorted()
    .flatMap((name) => {
      const dir = join(examples, name);
      const file = join(dir, 'workflows', `${name}.yaml`);
      return existsSync(file) ? [{ name, description: descriptionOf(file), dir, file }] : [];
    });
}

/** A file of several workflows is called like the first. */
function descriptionOf(file: string): string {
  const data = parseDocument(readFileSync(file, 'utf8')).toJS() as unknown;
  const [first] = [data].flat() as readonly ({ readonly description?: unknown } | null)[];
  return typeof first?.description === 'string' ? first.description : '';
}

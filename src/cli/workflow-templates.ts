/**
 * The templates of `sluice workflow new`: the projects in `examples/` of this package, which people can read and run as they
 * are. A template is `workflows/NAME.yaml` with everything that it needs in `workflows/NAME/`; its name stands in its texts
 * only where it means itself, so that a copy under another name is the same texts with that name.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export interface WorkflowTemplate {
  readonly name: string;
  /** One line. */
  readonly description: string;
  /** The whole small project. */
  readonly dir: string;
}

export function readTemplates(): readonly WorkflowTemplate[] {
  const examples = fileURLToPath(new URL('../../examples', import.meta.url));
  if (!existsSync(examples)) return [];
  return readdirSync(examples)
    .toSorted()
    .flatMap((name) => {
      const dir = join(examples, name);
      const file = join(dir, 'workflows', `${name}.yaml`);
      return existsSync(file) ? [{ name, description: descriptionOf(file), dir }] : [];
    });
}

export interface TemplateFile {
  /** Relative to the project folder. */
  readonly path: string;
  readonly text: string;
}

/** What a project gets: the definition first. */
export function templateFiles({ name, dir }: WorkflowTemplate, as: string): readonly TemplateFile[] {
  const folder = join(dir, 'workflows', name);
  const parts = existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .toSorted()
    : [];
  return [`${folder}.yaml`, ...parts].map((file) => ({
    path: `workflows/${as}${file.slice(folder.length)}`,
    text: readFileSync(file, 'utf8').replaceAll(name, as),
  }));
}

/** Of the example: what the template expects of a project. */
export function templateConfig({ name, dir }: WorkflowTemplate, as: string): string {
  return readFileSync(join(dir, 'config/orchestrator.yaml'), 'utf8').replaceAll(name, as);
}

/** A file of several workflows is called like the first. */
function descriptionOf(file: string): string {
  const [first] = [parse(readFileSync(file, 'utf8'))].flat() as readonly { readonly description?: string }[];
  return first?.description ?? '';
}

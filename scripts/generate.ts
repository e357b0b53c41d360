/**
 * Writes the files that are made from a source of truth, so that no two of them can disagree:
 * the validators of the configuration and of workflows, their JSON Schemas for editors, their reference pages, the list of errors.
 *
 * `node scripts/generate.ts` writes what changed; `--check` writes nothing and exits 1 when a file is stale.
 * ajv compiles the validator here, at build time: loading ajv and compiling takes 60 ms that every command would pay.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { configValidator } from './config-validator.ts';
import { configurationReference, workflowReference } from './configuration-reference.ts';
import { errorsPage } from './errors-page.ts';
import { publishedSchema } from './published-schema.ts';

interface GeneratedFile {
  readonly path: string;
  readonly render: () => string;
}

export const generatedFiles: readonly GeneratedFile[] = [
  { path: 'src/config/validate.generated.ts', render: () => configValidator('configuration') },
  { path: 'src/config/validate-workflow.generated.ts', render: () => configValidator('workflow') },
  {
    path: 'config/orchestrator.schema.json',
    render: () => `${JSON.stringify(publishedSchema(), null, 2)}\n`,
  },
  {
    path: 'config/workflow.schema.json',
    render: () => `${JSON.stringify(publishedSchema('workflow'), null, 2)}\n`,
  },
  { path: 'docs/reference/configuration.md', render: configurationReference },
  { path: 'docs/reference/workflow.md', render: workflowReference },
  { path: 'docs/errors.md', render: errorsPage },
];

const repository = fileURLToPath(new URL('..', import.meta.url));

/** @returns The paths (relative to the repository) whose content is not what their source gives. */
export async function staleFiles(root = repository): Promise<string[]> {
  const stale: string[] = [];
  for (const { path, render } of generatedFiles) {
    const found = await readFile(join(root, path), 'utf8').catch(() => undefined);
    if (found !== render()) stale.push(path);
  }
  return stale;
}

async function main(check: boolean): Promise<number> {
  const stale = await staleFiles();
  if (check) {
    for (const path of stale)
      console.error(`${path} is stale\n  fix: run \`node scripts/generate.ts\` and commit the result`);
    return stale.length === 0 ? 0 : 1;
  }
  for (const { path, render } of generatedFiles.filter((file) => stale.includes(file.path))) {
    await mkdir(dirname(join(repository, path)), { recursive: true });
    await writeFile(join(repository, path), render());
    console.log(`wrote ${path}`);
  }
  return 0;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href)
  process.exitCode = await main(process.argv.includes('--check'));

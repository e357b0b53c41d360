/**
 * `sluice workflow new`: a workflow that works, from a template. Without `--template` it says which there are. Agents and
 * rules that it uses and the project lacks are added to the configuration; what is there is never changed.
 */
import { existsSync, mkdirSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { formatDiagnostics } from '../../../config/diagnostic.ts';
import type { LoadedConfig } from '../../../config/load.ts';
import { suggest } from '../../../config/suggest.ts';
import type { WorkflowConfig } from '../../../config/workflow.ts';
import { AppError, messageOf } from '../../../types/errors.ts';
import { printableName } from '../../../types/printable-name.ts';
import { type Addition, asText, entriesOf, withAdditions } from '../../add-to-config.ts';
import type { CommandContext } from '../../context.ts';
import { paint } from '../../paint.ts';
import { printLine, tell } from '../../print.ts';
import { printTable } from '../../table.ts';
import {
  readTemplates,
  type TemplateFile,
  templateConfig,
  templateFiles,
  type WorkflowTemplate,
} from '../../workflow-templates.ts';

interface NewOptions {
  readonly template?: string;
  readonly force?: boolean;
}

export async function run(
  context: CommandContext,
  [given]: readonly string[],
  { template: wanted, force = false }: NewOptions,
): Promise<number> {
  const templates = readTemplates();
  if (wanted === undefined) {
    printTable(templates, [
      { title: 'template', cell: ({ name }) => name },
      { title: 'what it does', cell: ({ description }) => description, cut: 'end' },
    ]);
    tell('\nNext: sluice workflow new [name] --template NAME');
    return 0;
  }
  const template = templates.find(({ name }) => name === wanted);
  if (!template)
    throw new AppError('USAGE', `There is no template "${wanted}"`, {
      fix: suggest(
        wanted,
        templates.map(({ name }) => name),
        'Templates',
      ),
    });
  const name = nameOf(given ?? template.name);
  const { configFile, projectDir } = await context.project();
  const files = templateFiles(template, name);
  const before = await context.load();
  refuseTaken(before, { projectDir, files, name, force });
  const additions = missing(before, template, name);
  const changed = changedConfig(configFile, before, additions);
  write(projectDir, files, force, changed === undefined ? undefined : { file: configFile, text: changed });

  for (const { path } of files) printLine(`${paint('green', 'made')}     ${printableName(path)}`);
  if (changed !== undefined)
    printLine(`${paint('green', 'changed')}  ${relative(projectDir, configFile)}: ${listed(additions)}`);
  return report(await context.load(), join(projectDir, files[0]?.path ?? ''), name);
}

/** It becomes the name of files, of folders, and a plain word in YAML. */
function nameOf(given: string): string {
  const isWord =
    /^\p{L}[\p{L}\p{N}._-]{0,59}$/u.test(given) && !/^(true|false|null|yes|no|on|off)$/i.test(given);
  if (isWord && !/\.(ya?ml|json)$/i.test(given)) return given;
  throw new AppError('USAGE', `"${given}" cannot be the name of a workflow here`, {
    fix: 'Take letters, digits, "-", "_" and ".", beginning with a letter, up to 60, without an extension: `my-workflow`.',
  });
}

function refuseTaken(
  { config }: LoadedConfig,
  o: {
    readonly projectDir: string;
    readonly files: readonly TemplateFile[];
    readonly name: string;
    readonly force: boolean;
  },
): void {
  const there = o.files.filter(({ path }) => existsSync(join(o.projectDir, path)));
  if (there.length > 0 && !o.force)
    throw new AppError('USAGE', `There is a file already: ${shortList(there.map(({ path }) => path))}`, {
      fix: 'Give the workflow another name: `sluice workflow new NAME --template …`, or write over it with `--force`.',
    });
  const own = join(o.projectDir, o.files[0]?.path ?? '');
  const taken = config.workflows.find(
    ({ name, file }) => file !== own && name.toLowerCase() === o.name.toLowerCase(),
  );
  if (taken)
    throw new AppError('USAGE', `There is a workflow "${taken.name}" already, in ${taken.file}`, {
      fix: 'Give the new one another name: `sluice workflow new NAME --template …`.',
    });
}

function shortList(names: readonly string[]): string {
  return names.length > 3 ? `${names.slice(0, 2).join(', ')} and ${names.length - 2} more` : names.join(', ');
}

/** Agents and rules of the example that the project has none of the same name for. */
function missing({ config }: LoadedConfig, template: WorkflowTemplate, name: string): readonly Addition[] {
  const agents = new Set(config.agents.keys());
  const rules = new Set(config.rules.map((rule) => rule.name));
  // The example of a digest has files to tell about; only what the template itself names or is routed by is taken.
  const text = templateFiles(template, name)[0]?.text ?? '';
  const entries = entriesOf(templateConfig(template, name));
  const routes = /^\s*type: file_processing$/m.test(text);
  const wanted = new Set(
    entries
      .filter(({ section }) => section === 'agents')
      .filter((one) => routes || isNamed(one.name, text))
      .map((one) => one.name),
  );
  return entries.filter((one) =>
    one.section === 'agents' ? wanted.has(one.name) && !agents.has(one.name) : routes && !rules.has(one.name),
  );
}

/** As the agent of a step, or among those who review. */
function isNamed(agent: string, text: string): boolean {
  return new RegExp(`\\bagents?: (?:\\[.*)?(?<![\\w.-])${RegExp.escape(agent)}(?![\\w.-])`).test(text);
}

/** @returns undefined when there is nothing to add. @throws {AppError} `USAGE` when it has to be done by hand. */
function changedConfig(
  configFile: string,
  { source }: LoadedConfig,
  additions: readonly Addition[],
): string | undefined {
  if (additions.length === 0) return undefined;
  const text = withAdditions(source, additions, configFile.endsWith('.json'));
  if (text !== undefined) return text;
  throw new AppError('USAGE', `${configFile} lacks what this template uses: ${listed(additions)}`, {
    fix: `Add this to it, then run the command again:\n\n${asText(additions)}`,
  });
}

function listed(additions: readonly Addition[]): string {
  const of = (section: Addition['section'], one: string, many: string): string[] => {
    const names = additions.filter((addition) => addition.section === section).map(({ name }) => name);
    return names.length === 0 ? [] : [`${names.length === 1 ? one : many} ${names.join(', ')}`];
  };
  return [...of('agents', 'agent', 'agents'), ...of('routing_rules', 'rule', 'rules')].join('; ');
}

/** The configuration first: a daemon that reloads between the two knows the agents when it sees the workflow. */
function write(
  projectDir: string,
  files: readonly TemplateFile[],
  force: boolean,
  config: { readonly file: string; readonly text: string } | undefined,
): void {
  try {
    if (config) {
      const file = realpathSync(config.file);
      writeFileSync(`${file}.new`, config.text, { mode: statSync(file).mode & 0o777 });
      renameSync(`${file}.new`, file);
    }
    // The definition last, when everything that it names is there.
    for (const { path, text } of files.toReversed()) {
      const file = join(projectDir, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text, { flag: force ? 'w' : 'wx' });
    }
  } catch (cause) {
    throw new AppError('OUTPUT_UNWRITABLE', `Cannot write the workflow: ${messageOf(cause)}`, {
      cause,
      fix: `Make sure that you may write to ${projectDir} and its folder \`workflows\`.`,
    });
  }
}

/** @returns the exit code. */
function report({ config, warnings }: LoadedConfig, file: string, name: string): number {
  const own = warnings.filter((warning) => warning.file === file);
  if (own.length > 0) tell(formatDiagnostics(own, { color: false }));
  const workflow = config.workflows.find((one) => one.file === file && one.name === name);
  if (!workflow) {
    tell(
      `\nIt is not one of the project yet: add "./workflows/*.yaml" to \`workflows\` of the configuration.`,
    );
    return 2;
  }
  const { steps } = workflow;
  printLine(`${printableName(name)} is valid: ${steps.length} ${steps.length === 1 ? 'step' : 'steps'}`);
  printLine('\nNext:');
  for (const line of nextLines(workflow)) printLine(`  ${line}`);
  return 0;
}

function nextLines({ name, on, inputs, file }: WorkflowConfig): readonly string[] {
  const lines = on.manual
    ? [`sluice workflow run ${name}`]
    : on.file.length > 0
      ? [
          `sluice run      when a file like ${on.file.flatMap(({ patterns }) => patterns).join(', ')} has landed`,
        ]
      : [`sluice start    it starts by itself`];
  for (const input of inputs) {
    const value = input.default === undefined ? '…' : String(input.default);
    const word = `${input.name}=${value}`.replaceAll("'", `'\\''`);
    lines.push(`  --input '${word}'    ${input.description ?? ''}`.trimEnd());
  }
  return [...lines, `sluice workflow graph ${name}`, `$EDITOR ${relative(process.cwd(), file)}`];
}

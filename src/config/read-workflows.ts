/**
 * `workflows` → definitions whose shape is right, each with the findings of the file it stands in. Names of what had to be
 * left out are kept: who refers to a broken definition is not told that there is none.
 */
import { stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { AppError } from '../types/errors.ts';
import { ConfigError } from './diagnostic.ts';
import { type Loose, projectPath, type Resolving } from './resolving.ts';
import type { WorkflowFile } from './schema-workflow.ts';
import { checkShape, type ShapeValidator } from './shape.ts';
import { show } from './shape-words.ts';
import { workflowForm } from './shape-workflow.ts';
import { Findings, type Path, readSource } from './source.ts';
import { isMapping } from './unsupported.ts';
import { findWorkflowFiles, isTaking } from './workflow-files.ts';
import { parseText } from './yaml.ts';

export interface WrittenWorkflow {
  /** With the findings of its file. */
  readonly context: Resolving;
  /** Where it stands in its file. */
  readonly at: Path;
  readonly file: string;
  readonly data: Loose<WorkflowFile>;
  /** Names of all its steps, also of those that were left out. */
  readonly stepNames: ReadonlySet<string>;
  readonly aliases: readonly string[];
}

export interface ReadWorkflows {
  readonly workflows: readonly WrittenWorkflow[];
  /** Names and aliases of definitions that were left out. */
  readonly broken: ReadonlySet<string>;
  /** A file could not be read at all: nobody knows which names are in it. */
  readonly isComplete: boolean;
}

interface Collected {
  readonly workflows: WrittenWorkflow[];
  readonly broken: Set<string>;
  isComplete: boolean;
}

/** @param entries Of `workflows`: globs and definitions. */
export async function readWorkflows(
  context: Resolving,
  entries: readonly unknown[],
  configFile: string,
): Promise<ReadWorkflows> {
  const found: Collected = { workflows: [], broken: new Set(), isComplete: true };
  // A glob that takes everything takes the configuration too.
  const seen = new Set<string>([configFile]);
  const except = entries.flatMap((entry) =>
    typeof entry === 'string' && isTaking(entry) ? [entry.slice(1)] : [],
  );
  for (const [index, entry] of entries.entries()) {
    const at = ['workflows', index];
    if (isMapping(entry)) await takeDefinition(context, configFile, at, entry, [], found);
    if (typeof entry !== 'string' || isTaking(entry)) continue;
    for (const file of await filesOf(context, at, entry, except)) {
      if (seen.has(file)) continue;
      seen.add(file);
      await takeFile(context, file, found);
    }
  }
  return found;
}

/** @throws AppError CONFIG_NOT_FOUND. */
export async function readWorkflowFile(context: Resolving, file: string): Promise<ReadWorkflows> {
  const found: Collected = { workflows: [], broken: new Set(), isComplete: true };
  await takeFile(context, file, found, true);
  return found;
}

async function filesOf(
  context: Resolving,
  at: Path,
  pattern: string,
  except: readonly string[],
): Promise<readonly string[]> {
  const { findings } = context;
  const isWritten = findings.has(at);
  const found = await findWorkflowFiles(context, pattern, except);
  if (found.problem === undefined) for (const folder of found.folders) context.files.add(folder);
  if (found.problem !== undefined)
    findings.error(
      'BAD_PATTERN',
      at,
      `"${pattern}" is too wide: ${found.problem}`,
      'Name the folder that holds the workflows: `./workflows/*.yaml`.',
    );
  if (found.folders.length > 0) {
    if (found.files.length === 0 && found.problem === undefined && isWritten)
      findings.warning(
        'NO_WORKFLOWS',
        at,
        `"${pattern}" finds no file`,
        'Correct the pattern; it is relative to the project folder. Files that appear later are taken up.',
      );
    return found.files;
  }
  const [named] = found.files;
  if (named === undefined) return [];
  context.files.add(named);
  const there = await stat(named).catch(() => undefined);
  if (there?.isFile()) return [named];
  findings.error(
    'BAD_FILE',
    at,
    there
      ? `"${pattern}" is ${there.isDirectory() ? 'a folder' : 'not a file'}`
      : `"${pattern}" does not exist`,
    there?.isDirectory()
      ? `Write which files in it: \`${pattern.replace(/\/$/, '')}/*.yaml\`.`
      : `Create "${projectPath(context, pattern)}", or correct the path; it is relative to the project folder.`,
  );
  return [];
}

async function takeFile(
  context: Resolving,
  file: string,
  found: Collected,
  mustExist = false,
): Promise<void> {
  context.files.add(file);
  let text: string;
  try {
    text = await readSource(file);
  } catch (error) {
    if (error instanceof ConfigError) context.others.push({ list: error.diagnostics });
    else if (!(error instanceof AppError) || mustExist) throw error;
    // Gone since the folder was read, it is none.
    found.isComplete = false;
    return;
  }
  const { data, located, problems } = parseText(text);
  const findings = new Findings(file, text, located);
  for (const { code, span, message, fix } of problems) findings.add('error', code, span, message, fix);
  const own: Resolving = { ...context, findings };
  const syntax = findings.list.filter(({ code }) => code === 'SYNTAX');
  const stem = basename(file, extname(file));
  if (syntax.length > 0) {
    // Behind a syntax error the parser guesses.
    const line = Math.min(...syntax.map((one) => one.line));
    context.others.push({ list: findings.list.filter((one) => one.code === 'SYNTAX' || one.line < line) });
    found.broken.add(stem);
    found.isComplete = false;
    return;
  }
  context.others.push(findings);
  if (isMapping(data)) return takeDefinition(own, file, [], data, [stem], found);
  if (!Array.isArray(data) || data.length === 0) {
    const isEmpty = data === null || data === undefined;
    findings.add(
      'error',
      isEmpty ? 'MISSING_KEY' : 'WRONG_TYPE',
      isEmpty ? { start: 0, end: 0 } : { path: [] },
      isEmpty
        ? 'the file is empty'
        : `the file must be a workflow or a list of workflows, found ${show(data)}`,
      'Write `name: …` and `steps: …`; `sluice workflow new` writes one to start from.',
    );
    found.broken.add(stem);
    return;
  }
  for (const [index, one] of data.entries()) {
    if (isMapping(one)) await takeDefinition(own, file, [index], one, data.length === 1 ? [stem] : [], found);
    else
      findings.error(
        'WRONG_TYPE',
        [index],
        `a workflow must be a mapping, found ${show(one)}`,
        'Write `name: …` and `steps: …`.',
      );
  }
}

/** @param data Changed: defaults are added, invalid parts removed. */
async function takeDefinition(
  context: Resolving,
  file: string,
  at: Path,
  data: Record<string, unknown>,
  aliases: readonly string[],
  found: Collected,
): Promise<void> {
  for (const [key, value] of Object.entries(data)) if (value === null) delete data[key];
  const lists = ['steps', 'on_failure'].flatMap((key) => (Array.isArray(data[key]) ? data[key] : []));
  const stepNames = lists.flatMap((step) =>
    isMapping(step) && typeof step.name === 'string' ? [step.name] : [],
  );
  const written = data.name;
  checkShape(data, context.findings, workflowForm(await loadValidator(), at));
  for (const name of [written, ...aliases]) if (typeof name === 'string') found.broken.add(name);
  if (typeof data.name !== 'string') return;
  found.workflows.push({
    context,
    at,
    file,
    data: data as Loose<WorkflowFile>,
    stepNames: new Set(stepNames),
    // A name is not an alias of itself.
    aliases: aliases.filter((alias) => alias !== data.name),
  });
}

/** Loaded here: most configurations have no workflow, and the validator is long. */
async function loadValidator(): Promise<ShapeValidator> {
  return (await import('./validate-workflow.generated.ts')).validate;
}

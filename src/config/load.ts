/**
 * File → frozen `Config`, or every finding about it: read, parse, refuse what this version lacks, check the shape, resolve.
 * Each stage takes out what it found wrong, so that the next one neither crashes on it nor reports it again.
 */
import { delimiter, resolve } from 'node:path';
import type { AppError } from '../types/errors.ts';
import type { Config } from './config.ts';
import { type DetectAgents, registerDetected } from './detected-agents.ts';
import { ConfigError, type Diagnostic } from './diagnostic.ts';
import { projectDirOf } from './find.ts';
import { resolveConfig } from './resolve.ts';
import type { Loose, PlaceholderCheck, ReportTemplateCheck, Resolving } from './resolving.ts';
import type { ConfigFile } from './schema.ts';
import { checkShape } from './shape.ts';
import { show } from './shape-words.ts';
import { allFindings, Findings, readSource } from './source.ts';
import { isMapping, refuseUnsupported } from './unsupported.ts';
import { parseText } from './yaml.ts';

export type { DetectAgents } from './detected-agents.ts';
export { ConfigError, type Diagnostic, formatDiagnostics } from './diagnostic.ts';
export { type ConfigChange, diffConfig } from './diff.ts';
export { configNames, findConfig, projectDirOf } from './find.ts';
export { type LoadedWorkflows, loadWorkflowFile } from './load-workflow.ts';
export { configView } from './view.ts';

export interface LoadOptions {
  /**
   * Answers why the references in a text cannot be resolved (`Secrets.check`); findings are warnings. Absent: references
   * are checked for their form only.
   */
  readonly checkReference?: (text: string) => Promise<AppError | undefined>;
  /** Finds the `${{ … }}` of arguments and prompts that mean nothing (`checkPlaceholders` of agents). Absent: not checked. */
  readonly checkPlaceholders?: PlaceholderCheck;
  /** Finds what is wrong with the templates of `report` steps. Absent: not checked. */
  readonly checkReportTemplate?: ReportTemplateCheck;
  /** Where commands are looked for; default: PATH of this process. */
  readonly searchPath?: string;
  /** Looks for agents (`agents: auto`). Absent: nothing is found. */
  readonly detectAgents?: DetectAgents;
}

export interface LoadedConfig {
  readonly config: Config;
  readonly warnings: readonly Diagnostic[];
  /** The file's text. */
  readonly source: string;
  /**
   * Absolute paths of everything it was made from: the file itself, those of workflows, prompts, schemas and templates;
   * the folders in which workflows were looked for, and with `agents: auto` those of PATH.
   */
  readonly files: readonly string[];
  /** When reading them began, of `Date.now()`: what was saved since then may be missing in it. */
  readonly readAt: number;
}

/**
 * @param file Relative to the working directory, or absolute.
 * @throws ConfigError with all findings; AppError CONFIG_NOT_FOUND when there is no such file.
 */
export async function loadConfig(file: string, options: LoadOptions = {}): Promise<LoadedConfig> {
  const absolute = resolve(file);
  const readAt = Date.now();
  return { ...(await parseConfig(absolute, await readSource(absolute), options)), readAt };
}

/** The same for a text that stands, or will stand, in `file` (absolute; it need not exist). */
export async function parseConfig(
  file: string,
  source: string,
  options: LoadOptions = {},
): Promise<LoadedConfig> {
  const readAt = Date.now();
  const { data, located, problems } = parseText(source);
  const findings = new Findings(file, source, located);
  const fail = () => new ConfigError(file, findings.sorted());
  for (const { code, span, message, fix } of problems) findings.add('error', code, span, message, fix);
  const syntaxErrors = findings.list.filter((found) => found.code === 'SYNTAX');

  if (data === null || data === undefined) {
    if (syntaxErrors.length === 0)
      findings.add(
        'error',
        'MISSING_KEY',
        { start: 0, end: 0 },
        'the file is empty',
        'Write at least `version: 1`, or run `sluice init` in an empty folder for a file to start from.',
      );
    throw fail();
  }
  if (!isMapping(data)) {
    if (syntaxErrors.length === 0)
      findings.error(
        'WRONG_TYPE',
        [],
        `the file must be a mapping of keys to values, found ${show(data)}`,
        'Write `key: value` lines, such as `version: 1`.',
      );
    throw fail();
  }
  // `agents:` with everything below it commented out is a section that is not there; but who writes `reviews:` wants them.
  for (const [key, value] of Object.entries(data))
    if (value === null && key === 'reviews') data[key] = {};
    else if (value === null) delete data[key];
  const searchPath = options.searchPath ?? process.env.PATH ?? '';
  const projectDir = projectDirOf(file);
  const files = new Set([file]);
  const isDetected = await registerDetected(data, findings, options.detectAgents, { projectDir });
  // What is installed or removed comes and goes in these.
  if (isDetected)
    for (const folder of searchPath.split(delimiter)) if (folder.startsWith('/')) files.add(folder);
  const defined = [data.agents, data.watcher_endpoints].flatMap((section) =>
    isMapping(section) ? Object.keys(section) : [],
  );

  refuseUnsupported(data, findings);
  checkShape(data, findings);
  if (syntaxErrors.length > 0) {
    // Behind a syntax error the parser guesses: what it says about the rest of the file may be wrong.
    const line = Math.min(...syntaxErrors.map((found) => found.line));
    throw new ConfigError(
      file,
      findings
        .sorted()
        .filter(
          (found) => syntaxErrors.includes(found) || (found.line < line && found.code !== 'MISSING_KEY'),
        ),
    );
  }
  const others: Resolving['others'] = [];
  const config = await resolveConfig(
    {
      projectDir,
      findings,
      files,
      checkReference: options.checkReference,
      checkPlaceholders: options.checkPlaceholders,
      searchPath,
      others,
      checkReportTemplate: options.checkReportTemplate,
    },
    file,
    data as Loose<ConfigFile>,
    defined,
  );
  const all = allFindings(findings, others);
  if (all.some(({ severity }) => severity === 'error')) throw new ConfigError(file, all, [...files]);
  return { config, warnings: all, source, files: [...files], readAt };
}

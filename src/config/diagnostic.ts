/**
 * One finding about the configuration file, and how it is shown. All of a file's findings are collected before anything is
 * thrown: people fix a file once, not error by error.
 */
import { relative } from 'node:path';
import { styleText } from 'node:util';
import { AppError } from '../types/errors.ts';

/** What a finding is about, for programs that read `sluice check --json`. */
export const diagnosticCodes = {
  UNREADABLE: 'The file cannot be read as text.',
  SYNTAX: 'The file is no valid YAML or JSON.',
  DUPLICATE_KEY: 'A key stands twice in one mapping.',
  UNKNOWN_KEY: 'A key that does not exist.',
  NOT_SUPPORTED_YET: 'A key whose feature this version does not have.',
  MISSING_KEY: 'A key that must be there is not.',
  WRONG_TYPE: 'A value of another type than the key takes.',
  BAD_VALUE: 'A value that the key does not take.',
  BAD_PATTERN: 'A glob that is not well formed or can never match.',
  BAD_REFERENCE: 'A secret reference that is not well formed, or stands where none is resolved.',
  BAD_PLACEHOLDER: 'A `${{ … }}` that names nothing.',
  BAD_EXPRESSION: 'An expression of a workflow that cannot be read, names nothing or cannot have this value.',
  BAD_TEMPLATE: 'A template of a report that cannot be read.',
  BAD_SCHEDULE: 'A time that is none, or never comes, or a time zone that is not known.',
  BAD_INPUT:
    'A workflow is given an input that it does not have or that cannot have this value, or lacks one.',
  BAD_FILE: 'A file that the configuration names is missing or cannot be used.',
  CONFLICT: 'Two keys that exclude each other, or a key that has no effect here.',
  DUPLICATE_NAME: 'A name or a folder that is taken.',
  UNKNOWN_AGENT: 'A rule or a step names an agent that is not defined.',
  UNKNOWN_CAPABILITY: 'A rule or a step asks for a capability that no agent has.',
  UNKNOWN_WORKFLOW: 'A rule, a step or a schedule names a workflow that is not defined.',
  UNKNOWN_STEP: 'A step needs one that is not in its workflow.',
  STEP_CYCLE: 'Steps need each other in a circle.',
  WORKFLOW_CYCLE: 'Workflows call each other in a circle.',
  NO_WORKFLOWS: 'A pattern of `workflows` finds no file.',
  FALLBACK_CYCLE: 'Agents fall back to each other in a circle.',
  RULE_CYCLE: 'What an agent writes goes through a rule back to it.',
  LIMIT_UNREACHED: 'A limit that another one makes without effect.',
  CAPABILITY_UNKNOWN: 'A capability whose name is nearly one of those that others look for.',
  BATCH_SINGLE_FILE: 'An agent that gets many files is told of one.',
  REVIEW_NOBODY: 'Work is to be reviewed, and no agent can.',
  NOTHING_FOUND: '`agents: auto` finds no agent CLI on this machine.',
  COST_UNKNOWN: 'A budget in money of an agent that does not say what it costs.',
  ROOT_MISSING: 'A watched folder does not exist yet.',
  RULE_SHADOWED: 'A rule never matches because an earlier one takes its files.',
  AGENT_UNUSED: 'No rule names this agent.',
  COMMAND_NOT_FOUND: "An agent's program is not on PATH.",
  SECRET_UNRESOLVED: 'A secret reference cannot be resolved.',
  SECRET_EXPOSED: 'A file that holds a secret can be read by others.',
} as const satisfies Record<string, string>;

export type DiagnosticCode = keyof typeof diagnosticCodes;

export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: 'error' | 'warning';
  /** Absolute. */
  readonly file: string;
  /** 1-based; columns in UTF-16 units, as editors count. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** The source line with its number, and a line of carets under what is meant; empty when there is no line to show. */
  readonly snippet: string;
  readonly fix: string;
}

/** The configuration cannot be used; `diagnostics` holds every finding of the file, warnings included. */
export class ConfigError extends AppError {
  readonly diagnostics: readonly Diagnostic[];
  /** Absolute paths of the files and folders that it was read from: when one changes, another try is worth it. */
  readonly files: readonly string[];

  constructor(file: string, diagnostics: readonly Diagnostic[], files: readonly string[] = [file]) {
    const errors = diagnostics.filter((found) => found.severity === 'error');
    const first = errors[0];
    const rest = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
    super(
      'CONFIG_INVALID',
      first ? `${place(first, first.file)}  ${first.message}${rest}` : `"${file}" is invalid`,
      {
        fix: first?.fix ?? 'Run `sluice check`.',
      },
    );
    this.diagnostics = diagnostics;
    this.files = files;
  }
}

/**
 * The text for a terminal: place and message, the source line, the fix; one paragraph per finding.
 * @param options.from Paths are shown relative to this folder when they lie below it; default: the working directory.
 */
export function formatDiagnostics(
  diagnostics: readonly Diagnostic[],
  { color, from = process.cwd() }: { readonly color: boolean; readonly from?: string },
): string {
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    color ? styleText(style, text, { validateStream: false }) : text;
  return diagnostics
    .map((found) => {
      const tone = found.severity === 'error' ? 'red' : 'yellow';
      const label = found.severity === 'warning' ? `${paint(tone, 'warning:')} ` : '';
      const shown = relative(from, found.file);
      const file = shown.startsWith('..') ? found.file : shown;
      const lines = [`${paint('bold', place(found, file))}  ${label}${found.message}`];
      if (found.snippet) {
        const [source = '', carets = ''] = found.snippet.split('\n');
        lines.push(source, paint(tone, carets));
      }
      lines.push(`  ${paint('cyan', 'fix:')} ${found.fix}`);
      return lines.join('\n');
    })
    .join('\n\n');
}

function place(found: Diagnostic, file: string): string {
  return `${file}:${found.line}:${found.column}`;
}

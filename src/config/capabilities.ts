/**
 * Names of capabilities that have a meaning everywhere: rules, steps and reviews look for them. Others are welcome; one that
 * is nearly one of these is a slip, which would only show as an agent that is never chosen.
 */
import { distance } from 'fastest-levenshtein';
import type { CliKindName } from './config.ts';

export const predefinedCapabilities = [
  ...['task_decomposition', 'dependency_analysis', 'workflow_design'],
  ...['web_research', 'document_analysis', 'data_synthesis'],
  ...['code_generation', 'code_review', 'code_refactoring', 'testing'],
  ...['email_management', 'document_creation', 'presentation'],
  ...['api_integration', 'database_operations', 'file_operations'],
  ...['data_analysis', 'pattern_recognition', 'error_diagnosis'],
] as const;

/** What agent CLIs can do, unless their entry says otherwise. */
export const cliCapabilities: Readonly<Record<Exclude<CliKindName, 'plugin'>, readonly string[]>> = {
  claude: [
    'code_generation',
    'code_review',
    'code_refactoring',
    'testing',
    'error_diagnosis',
    'document_analysis',
    'document_creation',
    'task_decomposition',
  ],
  codex: ['code_generation', 'code_review', 'code_refactoring', 'error_diagnosis', 'testing'],
  gemini: [
    'code_review',
    'code_generation',
    'web_research',
    'document_analysis',
    'document_creation',
    'error_diagnosis',
  ],
  opencode: ['code_generation', 'code_review', 'code_refactoring', 'testing'],
  copilot: ['code_generation', 'code_review', 'code_refactoring', 'testing'],
};

/**
 * `code-review`, `codereview`, `code_reveiw`: one of them, written differently or with a slip or two. Not `review`, `test` or
 * `security_analysis`: these are words of their own.
 */
export function slipOf(name: string): string | undefined {
  const known: readonly string[] = predefinedCapabilities;
  if (known.includes(name)) return undefined;
  const plain = (text: string) => text.toLowerCase().replaceAll(/[-_ ]/g, '');
  return known.find((one) => distance(plain(one), plain(name)) <= 2);
}

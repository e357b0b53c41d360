/**
 * The policy file that says which tools Gemini CLI has: what no rule allows it does not even offer to the model.
 * In headless mode nothing is asked; what would be asked is denied.
 */
import type { Access } from '../../../types/agent-cli.ts';

/** They work out of sight: calls of a sub-agent's tools are in no event, so nothing could watch them. */
export const hiddenTools = ['invoke_agent', 'activate_skill', 'enter_plan_mode', 'exit_plan_mode'];

/** Told to the model when a line is no shell that it can parse: that is no lack of permission. */
export const simplerShell = 'This command could not be parsed: write it in plainer shell.';

const shellNames: ReadonlySet<string> = new Set(['run_shell_command', 'ShellTool']);

/** @param tools In the CLI's own words: `web_fetch`, `run_shell_command`, `run_shell_command(git log)`. */
export function policyText(access: Access, tools: readonly string[]): string {
  const rules = [
    rule({ toolName: hiddenTools, decision: 'deny', priority: 999 }),
    ...(access === 'edit' ? [rule({ toolName: ['write_file', 'replace'], ...allow })] : []),
    ...(access === 'all' ? [rule({ toolName: '*', ...allow }), anyShell] : []),
    ...tools.flatMap(toolRule),
  ];
  return `${rules.join('\n')}`;
}

const allow = { decision: 'allow', priority: 900 };

/** With a pattern for the arguments it means any command: a rule without one has git refused where trust is not given. */
const anyShell = rule({
  ...{ toolName: 'run_shell_command', argsPattern: '.', decision: 'allow', priority: 901 },
  ...{ allowRedirection: true, denyMessage: simplerShell },
});

function toolRule(tool: string): string[] {
  const [, name = '', args] = /^([\w*-]+) *(?:\(([\s\S]*)\))?$/.exec(tool.trim()) ?? [];
  if (name === '') return [];
  if (!shellNames.has(name)) return [rule({ toolName: name, ...allow })];
  // `npm test:*` is how other CLIs write it.
  const prefix = args?.trim().replace(/:?\*$/, '').trim();
  if (prefix === undefined || prefix === '') return [anyShell];
  return [rule({ toolName: 'run_shell_command', commandPrefix: prefix, ...allow })];
}

function rule(fields: Readonly<Record<string, string | number | boolean | readonly string[]>>): string {
  // Strings, lists and numbers of JSON mean the same in TOML, but for this one character.
  const lines = Object.entries(fields).map(
    ([key, value]) => `${key} = ${JSON.stringify(value).replaceAll('\x7f', '\\u007f')}`,
  );
  return `[[rule]]\n${lines.join('\n')}\n`;
}

/**
 * What Codex CLI writes to stderr: its log (`2026-11-20T08:50:25.566658Z ERROR codex_core::tools::router: error=…`, where a
 * text may go on over several lines) and plain lines. Most of what it does not let the agent do is said nowhere else.
 */
export interface Stderr {
  /** Texts with which tools failed, as the log has them. They may quote what the agent wrote: only their beginning counts. */
  readonly tools: readonly string[];
  /** Everything else that may say why it ended. */
  readonly rest: string;
}

const record = /^\d{4}-\d\d-\d\dT[\d:.]+Z\s+(?:ERROR|WARN|INFO|DEBUG|TRACE)\s/;
const toolError = /\bcodex_core::tools::\w+: error=(.*)$/;
const noise = /^(?:Reading (?:additional input|prompt) from stdin|WARNING: proceeding|warning: )/;

export function splitStderr(text: string): Stderr {
  const tools: string[][] = [];
  const rest: string[] = [];
  let tool: string[] | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (record.test(line)) {
      const begin = toolError.exec(line)?.[1];
      tool = begin === undefined ? undefined : [begin];
      if (tool) tools.push(tool);
      else rest.push(line);
    } else if (tool) tool.push(line);
    else if (!noise.test(line)) rest.push(line);
  }
  return { tools: tools.map((lines) => lines.join('\n')), rest: rest.join('\n') };
}

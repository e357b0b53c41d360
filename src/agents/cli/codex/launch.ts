/** How Codex CLI is started for one attempt. */
import type { Launch, LaunchRequest } from '../kind.ts';

export function codexLaunch(request: LaunchRequest): Launch {
  return { args: ['exec', '--json', '-'], env: {}, files: [], stdin: request.prompt };
}

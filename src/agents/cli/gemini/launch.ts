/** How Gemini CLI is started for one attempt. */
import type { Launch, LaunchRequest } from '../kind.ts';

export function geminiLaunch(request: LaunchRequest): Launch {
  return { args: ['--output-format', 'stream-json'], env: {}, files: [], stdin: request.prompt };
}

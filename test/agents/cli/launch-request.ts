/** A launch as plain as can be; tests change what they are about. */
import type { LaunchRequest } from '../../../src/agents/cli/kind.ts';

export function launchRequest(more: Partial<LaunchRequest> = {}): LaunchRequest {
  return {
    version: { text: '99.0.0' },
    ...{ tools: [], access: 'read', cwd: '/project', directories: [], prompt: 'Do the task.' },
    ...{ sessionId: '11111111-1111-4111-8111-111111111111', workDir: '/project/.sluice/work/1' },
    ...{ skipGitCheck: false, withoutFlags: [], isConfined: true, isRoot: false, env: {}, options: {} },
    ...more,
  };
}

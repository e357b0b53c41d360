/** A launch that asks for nothing special: to see what a kind makes of it, not to be started. */
import type { LaunchRequest } from './kind.ts';

export function plainRequest(more: Partial<LaunchRequest> = {}): LaunchRequest {
  return {
    version: { text: '99.0.0' },
    ...{ tools: [], access: 'read', cwd: '/project', directories: [], prompt: 'Do the task.' },
    ...{ sessionId: '11111111-1111-4111-8111-111111111111', workDir: '/project/.sluice/work/1' },
    ...{ skipGitCheck: false, withoutFlags: [], isConfined: true, isRoot: false, env: {}, options: {} },
    ...more,
  };
}

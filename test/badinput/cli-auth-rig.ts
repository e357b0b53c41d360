/** A project whose agent is let in when somebody has logged in. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentsReport } from '../../src/operations/agents/agent-list.ts';
import { answers, recorded, type Step } from '../agents/cli/fakes/fakes.ts';
import { type CliProject, fakeAgent } from './cli-rig.ts';

export const daemon = 'daemon: { min_free_disk: 1MiB }';
export const oneAgent = (more = ''): string => `
routing_rules: [{ name: all, pattern: "*", agent: quick }]
agents: { quick: ${fakeAgent('codex', more)} }
${daemon}
`;

/** Where Codex keeps its log-in; the fake is let in when somebody has logged in. */
export function logInOf(
  project: CliProject,
  refused: readonly Step[] = recorded('codex', 'e401'),
): { readonly file: string; do(): void } {
  const file = join(project.home, '.codex', 'auth.json');
  project.fake('codex').play({ when: { absent: file }, steps: refused }, { steps: answers('codex') });
  return {
    file,
    do() {
      mkdirSync(join(project.home, '.codex'), { recursive: true });
      writeFileSync(file, '{"OPENAI_API_KEY":"sk-a-key-that-is-right"}');
    },
  };
}

export const agentOf = async ({ client }: CliProject, name = 'quick') =>
  (await client.get<AgentsReport>('/api/agents')).agents.find((agent) => agent.name === name);
export const codesOf = async (project: CliProject): Promise<string[]> =>
  (await project.status()).conditions.flatMap(({ code }) => (code === 'RUNS_AS_ROOT' ? [] : [code]));

/** The flags that a kind would start its program with, as far as a launch that asks for nothing special tells. */
import type { CliKind, CliVersion, LaunchRequest } from '../cli/kind.ts';

/** @returns none for a kind that gives no launch. */
export function flagsOfLaunch(kind: Pick<CliKind, 'launch'>, { text }: CliVersion): readonly string[] {
  const flags = new Set<string>();
  // Without what its help names: a launch would leave out what is missing there.
  for (const access of ['read', 'edit'] as const)
    for (const word of argsOf(kind, { ...plain, access, version: { text } }))
      if (/^-{1,2}[A-Za-z]/.test(word)) flags.add(word.split('=')[0] as string);
  return [...flags];
}

const plain: Omit<LaunchRequest, 'access' | 'version'> = {
  ...{ tools: [], directories: [], withoutFlags: [], env: {}, options: {} },
  ...{ cwd: '/project', workDir: '/project/.sluice/work', prompt: 'A question.' },
  sessionId: '00000000-0000-4000-8000-000000000000',
  ...{ skipGitCheck: false, isConfined: true, isRoot: false },
};

function argsOf(kind: Pick<CliKind, 'launch'>, request: LaunchRequest): readonly string[] {
  try {
    return kind.launch(request).args;
  } catch {
    // A plugin's: it is told when it is used.
    return [];
  }
}

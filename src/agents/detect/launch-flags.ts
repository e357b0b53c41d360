/** The flags that a kind would start its program with, as far as a launch that asks for nothing special tells. */
import type { CliKind, CliVersion, LaunchRequest } from '../cli/kind.ts';
import { plainRequest } from '../cli/plain-request.ts';

/** @returns none for a kind that gives no launch. */
export function flagsOfLaunch(kind: Pick<CliKind, 'launch'>, { text }: CliVersion): readonly string[] {
  const flags = new Set<string>();
  // Without what its help names: a launch would leave out what is missing there.
  for (const access of ['read', 'edit'] as const)
    for (const word of argsOf(kind, plainRequest({ access, version: { text } })))
      if (/^-{1,2}[A-Za-z]/.test(word)) flags.add(word.split('=')[0] as string);
  return [...flags];
}

function argsOf(kind: Pick<CliKind, 'launch'>, request: LaunchRequest): readonly string[] {
  try {
    return kind.launch(request).args;
  } catch {
    // A plugin's: it is told when it is used.
    return [];
  }
}

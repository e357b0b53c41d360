/**
 * What a failure of a confined command may owe to its confinement: the words of the system at the end of stderr, and the
 * key that would allow it. A guess, worded as one.
 */
import type { SandboxReport } from '../types/job.ts';

interface Hint {
  readonly pattern: RegExp;
  /** @returns undefined when this confinement cannot be why. */
  readonly fix: (sandbox: SandboxReport) => string | undefined;
}

const hints: readonly Hint[] = [
  {
    pattern: /sluice: refused: (.{1,200}?) (is blocked|was not approved|needs an approval)/,
    fix: () =>
      'If the agent may run it, take the command out of the list that names it: `sandbox.blocked`, or `sandbox.confirm` where a person refused.',
  },
  {
    pattern: /Read-only file system|\bEROFS\b/i,
    fix: () =>
      'The sandbox lets it write to $SLUICE_OUTPUT_DIR, $HOME and /tmp only. To let it change files of the project or of the watched tree, write `sandbox: { write: [project] }` or `[workspace]`, or name a folder.',
  },
  {
    pattern:
      /Temporary failure in name resolution|Could not resolve host|getaddrinfo|\bEAI_AGAIN\b|\bENOTFOUND\b|Name or service not known|Network is unreachable|\bENETUNREACH\b|Couldn't connect to server|Failed to connect to|\bECONNREFUSED\b|Connection refused/i,
    fix: ({ network }) => {
      if (network === 'allow') return undefined;
      return Array.isArray(network)
        ? `The sandbox lets it reach ${network.join(', ')} only. Add the host to \`sandbox: { network: […] }\`, or write \`network: allow\`.`
        : 'The sandbox has no network. If it may have one, write `sandbox: { network: allow }`.';
    },
  },
  {
    pattern:
      /Permission denied|\bEACCES\b|No such file or directory|\bENOENT\b|ModuleNotFoundError|Cannot find module|command not found/i,
    fix: () =>
      'Inside the sandbox only the project, the watched folders and the folders on PATH can be seen, without files that only their owner may read. Move what it needs there (a secret belongs into `env`), or write `sandbox: { write: […] }` with the folder.',
  },
  {
    pattern: /No space left on device|\bENOSPC\b/i,
    fix: () =>
      'In the sandbox /tmp and $HOME are small and lie in memory: large files belong into $SLUICE_OUTPUT_DIR.',
  },
];

/** @returns the fix to try, naming the key; undefined when nothing points to the sandbox, or there was none. */
export function explainSandboxFailure(stderrTail: string, sandbox: SandboxReport): string | undefined {
  if ((sandbox.backend ?? 'none') === 'none' && !/sluice: refused: /.test(stderrTail)) return undefined;
  const isConfined = (sandbox.backend ?? 'none') !== 'none';
  for (const { pattern, fix } of isConfined ? hints : hints.slice(0, 1))
    if (pattern.test(stderrTail)) {
      const found = fix(sandbox);
      if (found !== undefined) return found;
    }
  return undefined;
}

/**
 * A plugin for opencode that we give it, since it has no switch for this: when it reads a file, it adds the AGENTS.md,
 * CLAUDE.md or CONTEXT.md of that file's folder to what it read, as instructions. Files that were dropped are data, so that
 * the addition is taken off again. The reader refuses an attempt in which that did not work.
 */
export const guardName = 'opencode-guard.mjs';

export const guardSource = `// Made by Sluice: takes off the instructions that opencode adds to files it reads.
export const SluiceGuard = async () => ({
  'tool.execute.after': async (_call, result) => {
    const loaded = result?.metadata?.loaded;
    if (!Array.isArray(loaded) || loaded.length === 0 || typeof result.output !== 'string') return;
    const at = result.output.lastIndexOf('\\n\\n<system-reminder>\\nInstructions from: ' + loaded[0] + '\\n');
    if (at < 0) return;
    result.output = result.output.slice(0, at);
    result.metadata = { ...result.metadata, loaded: [] };
  },
});
`;

/** The settings that Gemini CLI runs with: all there are, since its home is the job's own. */
import type { LaunchRequest } from '../kind.ts';

export interface SettingsOptions extends Pick<LaunchRequest, 'model' | 'effort' | 'maxTurns'> {
  readonly policyFile: string;
  /** Those that `--include-directories` cannot name. */
  readonly directories: readonly string[];
  /** In its own words: `gemini-api-key`, `oauth-personal`, `vertex-ai` … */
  readonly loginMethod: string;
}

export function settingsText(o: SettingsOptions): string {
  const overrides = effortOverrides(o.effort, o.model);
  const settings = {
    general: {
      enableAutoUpdate: false,
      enableAutoUpdateNotification: false,
      // It would try ten times, for four minutes; trying again later is ours.
      maxAttempts: 3,
      plan: { enabled: false },
      topicUpdateNarration: false,
      checkpointing: { enabled: false },
    },
    // On, it refuses to work in a folder that it does not trust; trust itself is denied by a variable.
    security: { auth: { selectedType: o.loginMethod }, folderTrust: { enabled: false } },
    privacy: { usageStatisticsEnabled: false },
    telemetry: { enabled: false },
    ui: { showCompatibilityWarnings: false, showHomeDirectoryWarning: false },
    // A `.env` of the folder could hold another key.
    advanced: { ignoreLocalEnv: true, autoConfigureMemory: false },
    context: {
      ...(o.directories.length > 0 && { includeDirectories: o.directories }),
      loadMemoryFromIncludeDirectories: false,
      fileFiltering: { enableRecursiveFileSearch: false },
    },
    tools: { sandbox: false },
    skills: { enabled: false },
    hooksConfig: { enabled: false },
    experimental: { enableAgents: false, worktrees: false },
    policyPaths: [o.policyFile],
    ...(o.maxTurns !== undefined && { model: { maxSessionTurns: o.maxTurns } }),
    ...(overrides && { modelConfigs: { overrides } }),
  };
  return `${JSON.stringify(settings, null, 2)}\n`;
}

/** Gemini 2.5 knows a number of tokens to think with, later ones know levels; either is an error to the other. */
const budgets: Readonly<Record<string, number>> = { minimal: 512, low: 1_024, medium: 8_192, high: 24_576 };

function effortOverrides(
  effort: string | undefined,
  model: string | undefined,
): readonly object[] | undefined {
  if (effort === undefined) return undefined;
  const word = effort.toLowerCase();
  const budget = /^-?\d+$/.test(word)
    ? Number(word)
    : /^gemini-2\./.test(model ?? '')
      ? budgets[word]
      : undefined;
  const thinkingConfig =
    budget === undefined ? { thinkingLevel: effort.toUpperCase() } : { thinkingBudget: budget };
  // Of the conversation alone, not of the requests that it makes beside it.
  return [{ match: { overrideScope: 'core' }, modelConfig: { generateContentConfig: { thinkingConfig } } }];
}

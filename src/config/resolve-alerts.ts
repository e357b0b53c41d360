/** `alerts` and `thresholds`: when something becomes a condition, and who is told. */
import { errorCodes } from '../types/error-codes.ts';
import { checkUrl } from './check-url.ts';
import type { AlertConfig, ThresholdsConfig } from './config.ts';
import { parseDuration } from './duration.ts';
import { parsePercent } from './percent.ts';
import type { Loose, Resolving } from './resolving.ts';
import type { ConfigFile } from './schema.ts';
import { nearest } from './suggest.ts';

const occasions = ['all', 'digest', 'success'];

export async function resolveAlerts(
  context: Resolving,
  alerts: Loose<ConfigFile['alerts']>,
): Promise<readonly AlertConfig[]> {
  const { findings } = context;
  const resolved: AlertConfig[] = [];
  for (const [index, alert] of alerts.entries()) {
    if (alert === undefined) continue;
    const at = ['alerts', index];
    const on = [alert.on ?? []].flat().filter((code) => code !== undefined);
    for (const [position, code] of on.entries()) {
      if (occasions.includes(code) || Object.hasOwn(errorCodes, code)) continue;
      const near = nearest(code, [...occasions, ...Object.keys(errorCodes)]);
      findings.error(
        'BAD_VALUE',
        typeof alert.on === 'string' ? [...at, 'on'] : [...at, 'on', position],
        `there is no condition "${code}"`,
        `${near === undefined ? '' : `did you mean "${near}"? `}Conditions are listed in docs/errors.md; \`all\`, \`digest\` and \`success\` are allowed too.`,
      );
    }
    if (on.includes('all'))
      for (const [position, code] of on.entries())
        if (Object.hasOwn(errorCodes, code))
          findings.error(
            'CONFLICT',
            [...at, 'on', position],
            `"${code}" has no effect beside \`all\``,
            'Remove it, or remove `all`.',
          );
    if (alert.webhook !== undefined) await checkUrl(context, [...at, 'webhook'], alert.webhook);
    resolved.push({
      on: [...new Set(on)],
      webhook: alert.webhook ?? '',
      format: alert.format ?? 'json',
      minIntervalMs: parseDuration(alert.min_interval ?? '') ?? 0,
    });
  }
  return resolved;
}

export function resolveThresholds(thresholds: Loose<ConfigFile['thresholds']> = {}): ThresholdsConfig {
  return {
    errorRate: thresholds.error_rate ?? 0,
    minimum: thresholds.minimum ?? 0,
    windowMs: parseDuration(thresholds.window ?? '') ?? 0,
    delayMs: parseDuration(thresholds.delay ?? '') ?? 0,
    freeMemory: (parsePercent(thresholds.free_memory ?? '') ?? 0) / 100,
  };
}

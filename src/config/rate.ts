/** How often attempts may begin, as the configuration writes it: `30/min`, `5/s`, `100/h`, `1000/d`. */
import type { RateConfig } from './config.ts';

const unitMs = { s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** The form of the text, as a regular expression in a JSON Schema. */
export const ratePattern = '^[1-9]\\d{0,5}/(s|min|h|d)$';

/** @returns `undefined` when the text has no such form. */
export function parseRate(text: string): RateConfig | undefined {
  const match = /^([1-9]\d{0,5})\/(s|min|h|d)$/.exec(text);
  if (!match) return undefined;
  return { count: Number(match[1]), perMs: unitMs[match[2] as keyof typeof unitMs], text };
}

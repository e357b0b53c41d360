/** What may be shown, for commands that read the ledger themselves: the secrets of all agents are taken out. */
import type { CommandContext } from './context.ts';

/** A configuration with errors hides nothing that could be read otherwise: then texts are shown as they are. */
export async function redactionOf(context: CommandContext): Promise<(text: string) => string> {
  const loaded = await context.load().catch(() => undefined);
  if (!loaded) return (text) => text;
  const { secretTexts } = await import('../coordinator/attempt.ts');
  const texts = [...loaded.config.agents.values()].flatMap(secretTexts);
  for (const text of new Set(texts)) await Promise.resolve(loaded.secrets.resolve(text)).catch(() => {});
  return loaded.secrets.redact;
}

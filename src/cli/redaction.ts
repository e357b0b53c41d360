/** What may be shown, for commands that read the ledger themselves. */
import type { CommandContext } from './context.ts';

/** With a configuration that has errors nothing can be recognised: then texts are shown as they are. */
export async function redactionOf(context: CommandContext): Promise<(text: string) => string> {
  const loaded = await context.load().catch(() => undefined);
  if (!loaded) return (text) => text;
  const { createRedaction } = await import('../engine/redaction.ts');
  return createRedaction(loaded.secrets)(loaded.config);
}

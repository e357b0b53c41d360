/**
 * What agent CLIs keep in the home of the user of a system service (log-in, sessions), as far as it has to be written. The
 * unit makes homes read-only, and in one that is, Codex does not start, and a log-in that is renewed is lost.
 */
import { builtinCliKinds } from '../agents/cli/kinds.ts';
import { homePlaces } from '../agents/cli/places.ts';
import { type Config, isCliAgent } from '../config/config.ts';
import type { ServiceHost } from './host.ts';
import { call } from './manager-command.ts';

/** Absolute. None for a user that does not exist (yet), and none of plugins, whose code is not loaded for this. */
export async function agentHomes(o: {
  readonly agents: Config['agents'];
  readonly user: string;
  readonly host: ServiceHost;
}): Promise<readonly string[]> {
  const kinds = new Set([...o.agents.values()].filter(isCliAgent).map(({ kind }) => kind));
  if (kinds.size === 0) return [];
  const { stdout } = await call(o.host, ['getent', 'passwd', '--', o.user]);
  const home = stdout.split(':')[5];
  if (!home?.startsWith('/')) return [];
  // Without the variables of this shell: the service has none of them.
  const env = { HOME: home };
  return [...kinds].flatMap((kind) =>
    homePlaces(kind === 'plugin' ? [] : (builtinCliKinds.get(kind)?.home ?? []), env)
      .filter(({ place }) => !place.isReadOnly || place.unpackedBy)
      .map(({ path }) => path),
  );
}

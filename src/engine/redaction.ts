/**
 * Texts as they may be shown: without the secrets of the configuration. The funnel knows the secrets that were used since
 * the process began; what agents wrote down earlier, in the state of a session, may hold others, so all are looked up.
 */
import type { Config } from '../config/config.ts';
import type { Secrets } from '../secrets/secrets.ts';

type Redact = (text: string) => string;

/** One that cannot be had now cannot be recognised either. */
export function createRedaction(
  secrets: Pick<Secrets, 'references' | 'resolve' | 'redact'>,
): (config: Config) => Promise<Redact> {
  const known = new WeakMap<Config, Promise<void>>();
  return async (config) => {
    let looked = known.get(config);
    if (!looked) {
      looked = lookUp(secrets, config);
      known.set(config, looked);
    }
    await looked;
    return (text) => secrets.redact(text);
  };
}

async function lookUp({ references, resolve }: Pick<Secrets, 'references' | 'resolve'>, config: Config) {
  const found = new Set<string>();
  for (const text of textsIn(config))
    if (text.includes('${')) for (const reference of references(text)) found.add(reference.text);
  for (const reference of found) await resolve(reference).catch(() => {});
}

function* textsIn(value: unknown): Iterable<string> {
  if (typeof value === 'string') yield value;
  else if (value instanceof Map) for (const one of value.values()) yield* textsIn(one);
  else if (typeof value === 'object' && value !== null)
    for (const one of Object.values(value)) yield* textsIn(one);
}

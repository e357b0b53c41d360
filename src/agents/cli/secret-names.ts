/** Which variables hold secrets, by their names: what stands in them is kept out of everything that an agent prints. */

const secret = /(?:^|_)(?:KEY|TOKEN|SECRET|PASSWORD|PASSPHRASE|HEADERS)(?:_|$)/;
/** What is said about a secret, and where it is. */
const about = /_(?:MECHANISM|FILE|PATH|ID|URL|TYPE|HELPER|TTL|TTL_MS|LIMIT|FD|FILE_DESCRIPTOR)$/;
/** Shorter values would take half of every text away; no key is that short. */
const shortest = 8;

export function isSecretVariable(name: string, value: string | undefined): boolean {
  const upper = name.toUpperCase();
  return (value?.length ?? 0) >= shortest && secret.test(upper) && !about.test(upper);
}

/** Of a variable that holds settings as JSON, the values whose names say the same: `{"options":{"apiKey":"…"}}`. */
export function secretsWithin(value: string | undefined): readonly string[] {
  if (!value?.trimStart().startsWith('{')) return [];
  const found: string[] = [];
  try {
    JSON.parse(value, (name, one: unknown) => {
      const words = name.replace(/[^A-Za-z0-9]+/g, '_').replace(/([a-z0-9])([A-Z])/g, '$1_$2');
      if (typeof one === 'string' && isSecretVariable(words, one)) found.push(one);
      return one;
    });
  } catch {
    // It is none, then, and nobody can use it.
  }
  return found;
}

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

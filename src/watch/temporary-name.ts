/**
 * Names under which programs write a file before they rename it into place: hidden, `~`, `.new`, `.tmp`, a random ending.
 * Those wait a moment after their close, because the rename may not have happened yet. Making every file wait was
 * rejected: it doubles the time from a close to the start of its command.
 */
const words = 'new|old|orig|bak|backup|tmp|temp|part|partial|download|swp|save|lock|atomic';
const pattern = new RegExp(
  `^[.#~]|[~#]$|(^|[^a-z])(${words})\\d*([^a-z]|$)|[._-](?=[a-z]*\\d)[a-z0-9]{5,}$`,
  'i',
);

export function looksTemporary(name: string): boolean {
  return pattern.test(name);
}

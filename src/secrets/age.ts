/**
 * Values in an age-encrypted YAML or JSON file. The library is loaded with the first such reference. Passphrases were left
 * out: a daemon has nobody to ask.
 */
import { isAbsolute, join } from 'node:path';
import { AppError } from '../types/errors.ts';
import { readSecretFile } from './owner-only.ts';

const maxEncryptedBytes = 1024 * 1024;

/** @throws AppError SECRET_UNRESOLVED, SECRET_EXPOSED. No message and no cause holds anything of the content. */
export async function readAgeValue(options: {
  /** `FILE#KEY`; FILE is relative to `projectDir`. */
  readonly name: string;
  readonly place: string;
  readonly projectDir: string;
  readonly identityFile: string;
}): Promise<string> {
  const { name, place, projectDir, identityFile } = options;
  const [file = '', key = ''] = name.split('#');
  const path = isAbsolute(file) ? file : join(projectDir, file);
  const refuse = (problem: string, fix: string) =>
    new AppError('SECRET_UNRESOLVED', `Cannot resolve ${place}: ${problem}`, { fix });

  const identityText = (
    await readSecretFile({ path: identityFile, place: `${place} (age identity)`, protectedBy: 'owner' })
  ).toString('utf8');
  const identities = identityText
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line.startsWith('AGE-SECRET-KEY-1'));
  if (identities.length === 0)
    throw refuse(
      `"${identityFile}" holds no age identity`,
      `Make one with \`age-keygen -o '${identityFile}'\`.`,
    );
  // The file itself is encrypted: everybody may read it.
  const encrypted = await readSecretFile({ path, place, protectedBy: 'folder', maxBytes: maxEncryptedBytes });

  const { Decrypter, armor } = await import('age-encryption');
  const decrypter = new Decrypter();
  let plain: string;
  try {
    for (const identity of identities) decrypter.addIdentity(identity);
    const text = encrypted.toString('latin1');
    const bytes = text.trimStart().startsWith('-----BEGIN AGE')
      ? armor.decode(text.trim())
      : new Uint8Array(encrypted);
    plain = await decrypter.decrypt(bytes, 'text');
  } catch {
    throw refuse(
      `"${path}" cannot be decrypted with the identity in "${identityFile}"`,
      'Encrypt it for this identity: `age -r RECIPIENT -o FILE`, with the public key that stands in the identity file.',
    );
  }
  const value = lookUp(
    await parse(plain, () =>
      refuse(`the content of "${path}" is neither YAML nor JSON`, 'Encrypt a file with `key: value` lines.'),
    ),
    key,
  );
  if (value === undefined)
    throw refuse(
      `"${path}" has no text under the key "${key}"`,
      `Add \`${key}: …\` to the file and encrypt it again.`,
    );
  return value;
}

async function parse(text: string, refuse: () => AppError): Promise<unknown> {
  const { parse: parseYaml } = await import('yaml');
  try {
    return parseYaml(text, { logLevel: 'silent' });
  } catch {
    throw refuse();
  }
}

/** The key as it is, or as a path with dots. */
function lookUp(content: unknown, key: string): string | undefined {
  const own = (holder: unknown, name: string) =>
    typeof holder === 'object' && holder !== null && Object.hasOwn(holder, name)
      ? (holder as Record<string, unknown>)[name]
      : undefined;
  const value = own(content, key) ?? key.split('.').reduce<unknown>(own, content);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

/**
 * References → values, and every text that leaves the program → the same text without those values. Values are resolved
 * late, when an attempt needs them, and never stored: a rotated secret works from the next attempt on. Each resolved value
 * is registered with the redactor before anybody gets it.
 */
import { isAbsolute, join } from 'node:path';
import type { Transform } from 'node:stream';
import { findReferences, type Reference, unescapeReferences } from '../config/reference.ts';
import { AppError, messageOf } from '../types/errors.ts';
import { readAgeValue } from './age.ts';
import { minSecretLength } from './forms.ts';
import { readSecretFile } from './owner-only.ts';
import { createRedactor } from './redactor.ts';

export type { Reference } from '../config/reference.ts';

export interface SecretsOptions {
  /** The environment that `${env:NAME}` reads. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** systemd's `$CREDENTIALS_DIRECTORY`; default: that variable of `env`. */
  readonly credentialsDir?: string | undefined;
  /** Relative paths in references start here. */
  readonly projectDir: string;
  /** Default: `$SLUICE_AGE_IDENTITY`, else `~/.config/sluice/age-identity.txt`. */
  readonly identityFile?: string | undefined;
}

export interface Secrets {
  /** The references in a text. */
  references(text: string): Reference[];
  /**
   * The text with its references replaced by their values.
   * @throws AppError SECRET_UNRESOLVED, SECRET_EXPOSED: with the reference, never a value.
   */
  resolve(text: string): Promise<string>;
  /** Why the text cannot be resolved now; `undefined` when it can. Registers nothing. */
  check(text: string): Promise<AppError | undefined>;
  /** A value that no reference names is redacted from now on; one too short for that is left. */
  register(value: string): void;
  /** The text without any value resolved so far, in any of its usual spellings. */
  redact(text: string): string;
  /**
   * The same for a file, replaced by rename when it holds a secret. Symlinks are refused.
   * @throws AppError OUTPUT_UNWRITABLE; the system's error when the file cannot be opened.
   */
  redactFile(path: string): Promise<void>;
  /** The same for a stream of bytes; a secret that is split over chunks is found. */
  redactStream(): Transform;
}

export function createSecrets(options: SecretsOptions): Secrets {
  const redactor = createRedactor();
  return {
    references: findReferences,
    async resolve(text) {
      const references = findReferences(text);
      const values = await Promise.all(references.map((reference) => valueFor(reference, options)));
      for (const value of values) redactor.register(value);
      let out = '';
      let from = 0;
      // Values are not searched for references.
      for (const [at, { index, text: written }] of references.entries()) {
        out += unescapeReferences(text.slice(from, index)) + values[at];
        from = index + written.length;
      }
      return out + unescapeReferences(text.slice(from));
    },
    async check(text) {
      try {
        for (const reference of findReferences(text)) await valueFor(reference, options);
        return undefined;
      } catch (error) {
        if (error instanceof AppError) return error;
        return new AppError('INTERNAL', messageOf(error), { cause: error, fix: 'Please report this.' });
      }
    },
    register(value) {
      if (value.length >= minSecretLength) redactor.register(value);
    },
    redact: redactor.redact,
    redactFile: redactor.redactFile,
    redactStream: redactor.stream,
  };
}

async function valueFor(reference: Reference, options: SecretsOptions): Promise<string> {
  const place = reference.text;
  const refuse = (problem: string, fix: string) =>
    new AppError('SECRET_UNRESOLVED', `Cannot resolve ${place}: ${problem}`, { fix });
  const value = await readValue(reference, options, refuse);
  if (value === '') throw refuse('its value is empty', 'Give it a value.');
  if (value.includes('\0')) throw refuse('its value holds a NUL character', 'Use a value that is text.');
  // What cannot be redacted must not be handed out as a secret.
  if (value.length < minSecretLength)
    throw refuse(
      `its value is shorter than ${minSecretLength} characters and could not be kept out of logs`,
      'Use a longer secret; write values that are none directly into the configuration.',
    );
  return value;
}

async function readValue(
  { kind, name, text: place }: Reference,
  options: SecretsOptions,
  refuse: (problem: string, fix: string) => AppError,
): Promise<string> {
  const { env, projectDir } = options;
  switch (kind) {
    case 'env': {
      const value = env[name];
      if (value === undefined)
        throw refuse(
          'the environment variable is not set',
          `Set ${name} in the environment of the daemon; a service has its own, not that of your shell.`,
        );
      return value;
    }
    case 'file': {
      const path = isAbsolute(name) ? name : join(projectDir, name);
      return textOf(await readSecretFile({ path, place, protectedBy: 'owner' }), refuse);
    }
    case 'credential': {
      const folder = options.credentialsDir ?? env.CREDENTIALS_DIRECTORY;
      if (!folder)
        throw refuse(
          'there is no credentials folder ($CREDENTIALS_DIRECTORY is not set)',
          `Run Sluice as a systemd service with \`LoadCredential=${name}:/path\` in its unit.`,
        );
      // systemd gives each service a folder of its own that nobody else can enter; modes of its files vary.
      return textOf(await readSecretFile({ path: join(folder, name), place, protectedBy: 'folder' }), refuse);
    }
    case 'age': {
      const identityFile =
        options.identityFile ??
        env.SLUICE_AGE_IDENTITY ??
        (env.HOME ? join(env.HOME, '.config/sluice/age-identity.txt') : undefined);
      if (!identityFile)
        throw refuse(
          'no age identity is named',
          'Set SLUICE_AGE_IDENTITY to an identity file that `age-keygen` made.',
        );
      return readAgeValue({ name, place, projectDir, identityFile });
    }
    default:
      return kind satisfies never;
  }
}

/** Editors and `echo` end a file with a line break that is not part of the value. */
function textOf(bytes: Buffer, refuse: (problem: string, fix: string) => AppError): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r?\n$/, '');
  } catch {
    throw refuse('the file is not UTF-8 text', 'Use a value that is text; encode binary ones in base64.');
  }
}

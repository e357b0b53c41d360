/** Reads a small file that holds a secret, after making sure that nobody else can read it. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { AppError, messageOf, systemCode } from '../types/errors.ts';

const maxBytes = 64 * 1024;

export interface SecretFile {
  readonly path: string;
  /** The reference, or what else needs the file: for messages. */
  readonly place: string;
  /** `owner`: only its owner (us, or root) may have access. `folder`: the folder around it is protected already. */
  readonly protectedBy: 'owner' | 'folder';
  readonly maxBytes?: number;
}

/** @throws AppError SECRET_EXPOSED, or SECRET_UNRESOLVED when it cannot be read. */
export async function readSecretFile({
  path,
  place,
  protectedBy,
  maxBytes: limit = maxBytes,
}: SecretFile): Promise<Buffer> {
  const refuse = (problem: string, fix: string) =>
    new AppError('SECRET_UNRESOLVED', `Cannot resolve ${place}: "${path}" ${problem}`, { fix });
  try {
    // O_NONBLOCK: a FIFO in its place must not make us wait. What is checked is the opened file, not its name.
    await using handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await handle.stat();
    if (!stat.isFile()) throw refuse('is not a file', 'Name the file that holds the value.');
    const uid = process.getuid?.() ?? stat.uid;
    if (protectedBy === 'owner' && ((stat.mode & 0o077) !== 0 || (stat.uid !== uid && stat.uid !== 0)))
      throw new AppError(
        'SECRET_EXPOSED',
        `Will not use ${place}: others can read "${path}" (mode ${(stat.mode & 0o777).toString(8).padStart(4, '0')}, owner ${stat.uid})`,
        {
          fix: `Run \`chown ${uid} '${path}' && chmod 600 '${path}'\`, and change the secret if others were able to read it.`,
        },
      );
    if (stat.size > limit) throw refuse(`is larger than ${limit} bytes`, 'Name a file that holds one value.');
    return await handle.readFile();
  } catch (error) {
    if (error instanceof AppError) throw error;
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR')
      throw refuse('does not exist', `Create "${path}", or correct the reference.`);
    throw refuse(
      `cannot be read (${systemCode(error) ?? messageOf(error)})`,
      `Give the user that runs Sluice permission to read "${path}".`,
    );
  }
}

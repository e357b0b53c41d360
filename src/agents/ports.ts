/** What agents need of other folders, handed in: secrets stay behind these two. */

export interface SecretResolver {
  /**
   * The text with its secret references replaced by their values.
   * @throws {AppError} `SECRET_UNRESOLVED`.
   */
  resolve(text: string): string | Promise<string>;
  /** A secret that no reference names: from now on it is kept out of what agents print. */
  register(value: string): void;
}

export interface Redactor {
  redact(text: string): string;
  /** Redacts a file in place, however large; costs nothing while no secret was resolved. */
  redactFile(path: string): Promise<unknown>;
}

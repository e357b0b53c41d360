/** What agents need of other folders, handed in: secrets stay behind these two. */

export interface SecretResolver {
  /**
   * The text with its secret references replaced by their values.
   * @throws {AppError} `SECRET_UNRESOLVED`.
   */
  resolve(text: string): string | Promise<string>;
}

export interface Redactor {
  /** False while no secret value is known: files need not be read then. */
  readonly active: boolean;
  redact(text: string): string;
  /** Redacts a file in place, however large. */
  redactFile(path: string): Promise<unknown>;
}

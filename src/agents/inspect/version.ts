/** What decides a report besides the content, without loading what `inspect` is made of: parts of the cache key. */
import { basename } from 'node:path';

/** Raised whenever the same file would give another report. */
export const inspectVersion = '1';

/**
 * What of a file's name its report depends on: with the same content and the same answer here, the report is the same.
 * The endings, which decide the kind; the whole path for Markdown, whose relative links depend on where it lies.
 */
export function nameDependence(rel: string): string {
  const name = basename(rel).toLowerCase();
  return /\.(md|markdown|mdx)$/.test(name) ? rel : name.replace(/^[^.]+(?=\.)/, '');
}

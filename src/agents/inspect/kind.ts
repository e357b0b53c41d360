/** What a kind of file (CSV, log, image …) is to `inspect`: one file in `kinds/`, one line in `kinds.ts`. */
import type { Subject } from './subject.ts';

export interface Section {
  /** The most important thing in one line: the report's first. Our words and code spans only. */
  readonly headline: string;
  /** Markdown that begins with a `##` heading; may be empty. */
  readonly body: string;
}

export interface Kind<S extends Subject> {
  /** Decided by type, extension and the first bytes; the first kind in the list that claims a file has it. */
  claims(subject: S): boolean;
  /** Must stay within `bounds`. What it throws (a library's fault) becomes a note in the report. */
  describe(subject: S): Section | Promise<Section>;
}

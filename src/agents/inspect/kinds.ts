/**
 * Every kind of file that `inspect` knows, most special first: the first one that claims a file describes it. Adding a
 * kind is one file in `kinds/` and one line here.
 */
import type { Kind } from './kind.ts';
import { binary } from './kinds/binary.ts';
import { code } from './kinds/code.ts';
import { csv } from './kinds/csv.ts';
import { image } from './kinds/image.ts';
import { json } from './kinds/json.ts';
import { jsonLines } from './kinds/json-lines.ts';
import { log } from './kinds/log.ts';
import { markdown } from './kinds/markdown.ts';
import { pdf } from './kinds/pdf.ts';
import { plain } from './kinds/plain.ts';
import { toml } from './kinds/toml.ts';
import { yaml } from './kinds/yaml.ts';
import { zip } from './kinds/zip.ts';
import type { Subject, TextSubject } from './subject.ts';

/** For files that are text. SVG images and PDF files may be. */
export const textKinds: readonly Kind<TextSubject>[] = [
  image,
  pdf,
  csv,
  jsonLines,
  json,
  yaml,
  toml,
  markdown,
  code,
  log,
  plain,
];

/** For all others. */
export const byteKinds: readonly Kind<Subject>[] = [image, pdf, zip, binary];

/**
 * How much of a file `inspect` looks at, in one place: with these the work and the memory for one file are bounded
 * whatever it contains. The report says so whenever one of them cut something off. Deadlines were rejected where a
 * count can do the same: with counts, the same file gives the same report on any machine. Only the parser of source code
has one: for a few texts in a million it takes time and memory without measure, and it cannot be interrupted.
 */
const KiB = 1024;
const MiB = 1024 * KiB;

export const bounds = {
  /** Bytes read to decide what a file is; all that is read of a binary file's start. */
  headBytes: 64 * KiB,
  /** Bytes of text (or of what comes out of a gzip file) that are analysed. */
  textBytes: 16 * MiB,
  /** Bytes after that in which only line ends are counted. */
  countedBytes: 512 * MiB,
  /** Bytes read at once; between two reads an abort is noticed. */
  chunkBytes: MiB,
  /** Characters of source code that are parsed. */
  codeChars: 256 * KiB,
  /** Wall time and memory after which parsing it is given up. Milliseconds; bytes. */
  codeParseMs: 3_000,
  codeMemoryBytes: 256 * MiB,
  /** Characters of YAML, of Markdown, of TOML that are parsed: their parsers are slow, or build large trees. */
  yamlChars: 512 * KiB,
  markdownChars: 256 * KiB,
  tomlChars: MiB,
  /** CSV rows, and columns of each, that are analysed. */
  csvRows: 500_000,
  csvColumns: 200,
  /** CSV: a quoted field longer than this (characters) counts as unclosed. */
  csvFieldChars: MiB,
  /** Lines of a log or of JSON Lines that are analysed. */
  lines: 500_000,
  /** Distinct message templates of a log that are kept. */
  logTemplates: 5_000,
  /** Distinct paths (`orders[].id`) in the shape of structured data, and the depth to which they are followed. */
  shapePaths: 200,
  shapeDepth: 20,
  /** Relative links of a Markdown file that are looked up on disk. */
  linksChecked: 500,
  /** Bytes from the start of an image that are searched for its dimensions. */
  imageHeadBytes: MiB,
  /** Bytes of a ZIP file's central directory that are read. */
  zipDirectoryBytes: 256 * KiB,
} as const;

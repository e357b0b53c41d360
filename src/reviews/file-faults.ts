/**
 * What is plainly wrong with the text of a file of a known kind: it does not parse, its rows do not fit. The readers are
 * those of `inspect`; its report was rejected as the source, since it is for people and says more than what is wrong.
 */
import { parse as parseToml, TomlError } from 'smol-toml';
import { layout } from '../agents/inspect/kinds/csv.ts';
import { csvRecords } from '../agents/inspect/kinds/csv-reader.ts';
import { scanJson } from '../agents/inspect/kinds/json-scanner.ts';
import type { SyntaxFacts } from '../agents/inspect/kinds/syntax.ts';
import { readYaml } from '../agents/inspect/kinds/yaml.ts';
import { languageOf } from '../agents/inspect/languages.ts';
import { eachLine } from '../agents/inspect/lines.ts';
import { placeOf } from '../agents/inspect/place.ts';
import { Shape } from '../agents/inspect/shape.ts';

export interface FileFault {
  readonly line: number;
  readonly text: string;
  /** True: any program would refuse to read the file. False: our grammar cannot read it, but may be older than the language. */
  readonly isCertain: boolean;
}

/** Facts of code; undefined: the parser gave up. */
export type ReadSyntax = (
  text: string,
  grammar: string,
  signal: AbortSignal,
) => Promise<SyntaxFacts | undefined>;

/** JSON that programs read with comments in it. */
const withComments = /^(tsconfig|jsconfig)(\..*)?\.json$|^\.(eslintrc|swcrc|babelrc)(\.json)?$/;

/** The first fault. @throws `signal.reason` on abort. */
export async function faultOf(
  path: string,
  text: string,
  readSyntax: ReadSyntax,
  signal: AbortSignal,
): Promise<FileFault | undefined> {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  const extension = /.(\.[^.]+)$/.exec(name)?.[1] ?? '';
  switch (extension) {
    case '.json':
    case '.geojson':
    case '.webmanifest':
      return withComments.test(name) ? undefined : jsonFault(text);
    case '.jsonl':
    case '.ndjson':
      return jsonLinesFault(text);
    case '.yaml':
    case '.yml':
      return yamlFault(text);
    case '.toml':
      return tomlFault(text);
    case '.csv':
      return tableFault(text, ',');
    case '.tsv':
      return tableFault(text, '\t');
    default: {
      const grammar = languageOf(name, extension, Buffer.from(text.slice(0, 256)))?.grammar;
      return grammar === undefined ? undefined : codeFault(await readSyntax(text, grammar, signal));
    }
  }
}

function jsonFault(text: string): FileFault | undefined {
  const { error } = scanJson(text.replace(/^\ufeff/, ''), new Shape());
  return error && certain(placeOf(text, error.offset).line, `it is no valid JSON: ${error.message}`);
}

function jsonLinesFault(text: string): FileFault | undefined {
  let fault: FileFault | undefined;
  eachLine(text, (line, n) => {
    const { error } = line.trim() === '' ? {} : scanJson(line, new Shape());
    if (error) fault = certain(n, `the line is no valid JSON: ${error.message}`);
    return fault === undefined;
  });
  return fault;
}

function yamlFault(text: string): FileFault | undefined {
  const { errors, duplicates } = readYaml(text);
  const [error] = errors;
  if (error) return certain(placeOf(text, error.offset).line, `it is no valid YAML: ${error.message}`);
  const [twice] = duplicates;
  return (
    twice &&
    certain(placeOf(text, twice.offset).line, `the key ${JSON.stringify(twice.key)} stands there twice`)
  );
}

function tomlFault(text: string): FileFault | undefined {
  try {
    parseToml(text, { integersAsBigInt: 'asNeeded' });
    return undefined;
  } catch (error) {
    if (!(error instanceof TomlError)) return certain(1, 'it is no valid TOML');
    const why = error.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '') ?? '';
    return certain(error.line, `it is no valid TOML: ${why}`);
  }
}

function tableFault(text: string, preferred: ',' | '\t'): FileFault | undefined {
  const { delimiter, width } = layout(text, preferred);
  for (const { line, count, blank, fault } of csvRecords(text, delimiter)) {
    if (blank) continue;
    if (fault !== undefined) return certain(line, fault);
    if (count !== width) return certain(line, `the row has ${count} fields instead of ${width}`);
  }
  return undefined;
}

function codeFault(facts: SyntaxFacts | undefined): FileFault | undefined {
  const [line] = facts?.errors.lines ?? [];
  return line === undefined
    ? undefined
    : { line, text: 'the parser cannot read this place', isCertain: false };
}

function certain(line: number, text: string): FileFault {
  return { line, text, isCertain: true };
}

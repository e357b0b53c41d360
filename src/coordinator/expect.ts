/** What a rule expects of a result beyond its exit code: outputs that exist and are not empty, and their shape. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RuleConfig } from '../config/config.ts';
import { compileGlob } from '../config/glob.ts';
import type { JsonCheck } from '../config/json-schema.ts';
import { messageOf } from '../types/errors.ts';
import type { FailureReason, Output, Proof } from '../types/job.ts';
import { fsPath } from '../types/path-bytes.ts';

export type Expectation =
  | { readonly kind: 'met'; readonly proof: readonly Proof[] }
  | {
      readonly kind: 'unmet';
      readonly reason: FailureReason;
      readonly message: string;
      readonly fix: string;
    };

/** Compiles a JSON Schema; the check gives the fault of a value as text, or nothing. */
export type SchemaCheck = (schema: unknown) => Promise<JsonCheck>;

const MAX_JSON_BYTES = 64 << 20;

export async function meets(
  expect: RuleConfig['expect'],
  made: { outputs: readonly Output[]; outputDir: string; resultFile?: string },
  compile: SchemaCheck,
): Promise<Expectation> {
  const proof: Proof[] = [];
  for (const pattern of expect.outputs) {
    const matches = compileGlob(pattern);
    const found = made.outputs.filter((output) => matches(output.path));
    if (found.some((output) => output.bytes > 0)) continue;
    const message = found.length > 0 ? `output "${pattern}" is empty` : `output "${pattern}" is missing`;
    const there = made.outputs.map((output) => output.path).slice(0, 5);
    return {
      kind: 'unmet',
      reason: 'missing_output',
      message:
        there.length > 0
          ? `${message}; the agent made ${there.join(', ')}`
          : `${message}; the agent made no outputs`,
      fix: 'The agent has to write it to the folder named by SLUICE_OUTPUT_DIR; or correct `expect.outputs` of the rule.',
    };
  }
  if (expect.outputs.length > 0) proof.push('outputs');
  if (expect.jsonSchema) {
    const fault = await checkSchema(expect, made, compile);
    if (fault) return fault;
    proof.push('schema');
  }
  return { kind: 'met', proof };
}

async function checkSchema(
  expect: RuleConfig['expect'],
  made: { outputs: readonly Output[]; outputDir: string; resultFile?: string },
  compile: SchemaCheck,
): Promise<Expectation | undefined> {
  const { file, schema } = expect.jsonSchema as NonNullable<RuleConfig['expect']['jsonSchema']>;
  const fix = `Make the agent's JSON match ${file}, or correct the schema.`;
  const targets = jsonTargets(expect, made);
  if (targets.length === 0)
    return { kind: 'unmet', reason: 'empty_result', message: 'the result is empty; JSON was expected', fix };
  const faultsOf = await compile(schema);
  for (const { name, path } of targets) {
    let fault: string | undefined;
    try {
      fault = faultsOf(JSON.parse(readBounded(path)));
    } catch (error) {
      fault = messageOf(error);
    }
    if (fault !== undefined)
      return {
        kind: 'unmet',
        reason: 'schema_invalid',
        message: `${name} does not match ${file}: ${fault}`,
        fix,
      };
  }
  return undefined;
}

/** The expected outputs that are JSON by name; the result text itself when no output is expected. */
function jsonTargets(
  expect: RuleConfig['expect'],
  made: { outputs: readonly Output[]; outputDir: string; resultFile?: string },
): { name: string; path: string }[] {
  if (expect.outputs.length === 0)
    return made.resultFile ? [{ name: 'the result', path: made.resultFile }] : [];
  const wanted = compileGlob(expect.outputs);
  const outputs = made.outputs.filter((output) => wanted(output.path));
  const json = outputs.filter((output) => output.path.endsWith('.json'));
  return (json.length > 0 ? json : outputs).map(({ path }) => ({
    name: path,
    path: join(made.outputDir, path),
  }));
}

function readBounded(path: string): string {
  const text = readFileSync(fsPath(path));
  if (text.length > MAX_JSON_BYTES) throw new Error(`larger than ${MAX_JSON_BYTES} bytes`);
  return text.toString('utf8');
}

/** JSON Schema by ajv, loaded when the first rule needs it; each schema is compiled once. */
import type { SchemaCheck } from './expect.ts';

export function createSchemaCheck(): SchemaCheck {
  const compiled = new Map<string, (value: unknown) => string | undefined>();
  return async (schema) => {
    const id = JSON.stringify(schema);
    const known = compiled.get(id);
    if (known) return known;
    const is2020 = (schema as { $schema?: string }).$schema?.includes('2020-12') ?? false;
    const Ajv = is2020 ? (await import('ajv/dist/2020.js')).Ajv2020 : (await import('ajv')).Ajv;
    const ajv = new Ajv({ allErrors: false, strict: false, validateFormats: false });
    const validate = ajv.compile(schema as object);
    const faultsOf = (value: unknown): string | undefined =>
      validate(value) ? undefined : ajv.errorsText(validate.errors, { dataVar: '' }).slice(0, 500);
    compiled.set(id, faultsOf);
    return faultsOf;
  };
}

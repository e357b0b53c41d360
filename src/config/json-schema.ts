/**
 * Compiles the JSON Schema that a rule expects a result to satisfy: the same function when the configuration is checked and
 * when a result is. Drafts 07 and 2020-12 (by `$schema`; 2020-12 when it says nothing else). `format` is an annotation.
 */

/** @returns What is wrong with the value, with its place, or `undefined`. */
export type JsonCheck = (value: unknown) => string | undefined;

/** @throws Error when the schema is no valid schema, or refers to one outside of itself: nothing is fetched. */
export async function compileJsonSchema(schema: unknown): Promise<JsonCheck> {
  if (typeof schema !== 'boolean' && (typeof schema !== 'object' || schema === null || Array.isArray(schema)))
    throw new Error('a schema is an object, true or false');
  // Loaded here: most configurations name no schema, and ajv takes 15 ms.
  const options = { strict: false, allErrors: false, logger: false, validateFormats: false } as const;
  const ajv = /draft-0[4-7]/.test(String((schema as { $schema?: unknown }).$schema ?? ''))
    ? new (await import('ajv')).Ajv(options)
    : new (await import('ajv/dist/2020.js')).Ajv2020(options);
  const validate = ajv.compile(structuredClone(schema) as object | boolean);
  return (value) => {
    if (validate(value)) return undefined;
    const [error] = validate.errors ?? [];
    return `${error?.instancePath || 'the value'} ${error?.message ?? 'does not match'}`;
  };
}

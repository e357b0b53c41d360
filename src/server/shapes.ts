/** The words of the routes' schemas. */
export const limit = { type: 'integer', minimum: 1, maximum: 1_000_000, default: 100 };
export const text = { type: 'string' };
export const strings = { type: 'array', items: text };

export function object(properties: Record<string, unknown>, required: string[] = []): object {
  return { type: 'object', properties, required, additionalProperties: false };
}

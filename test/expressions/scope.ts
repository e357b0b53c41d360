/** A scope over plain data, and what is known of it. */
import {
  type FileAccess,
  fileShape,
  filesShape,
  type Known,
  type Scope,
  type Value,
} from '../../src/expressions/expressions.ts';

export function scopeOf(
  contexts: Readonly<Record<string, unknown>>,
  more: Omit<Scope, 'context'> = {},
): Scope {
  return {
    ...more,
    context: (name) => (Object.hasOwn(contexts, name) ? (contexts[name] as Value) : undefined),
  };
}

export const known: Known = {
  contexts: {
    file: fileShape,
    files: filesShape,
    steps: {
      kind: 'object',
      keys: {
        lint: {
          kind: 'object',
          keys: {
            result: { kind: 'text' },
            outcome: { kind: 'text' },
            outputs: { kind: 'object', keys: {}, open: true },
          },
        },
        'count lines': {
          kind: 'object',
          keys: {
            result: { kind: 'text' },
            outcome: { kind: 'text' },
            outputs: { kind: 'object', keys: { rows: { kind: 'any' }, labels: { kind: 'any' } } },
          },
        },
        later: { kind: 'absent', why: 'step "later" does not run before', fix: 'Write `needs: later`.' },
      },
    },
    inputs: {
      kind: 'object',
      keys: {
        limit: { kind: 'number' },
        customer: { kind: 'text' },
        dry_run: { kind: 'boolean' },
        note: { kind: 'any' },
      },
    },
    state: { kind: 'object', keys: {}, open: true },
    item: { kind: 'absent', why: '`item` is there in steps with `for_each` only', fix: 'Add `for_each`.' },
  },
  status: true,
};

export const noFiles: FileAccess = { glob: async () => [], hash: async () => '' };

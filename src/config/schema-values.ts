/**
 * What a key of the configuration can hold: each function gives the schema of one form of value. They stand apart from the
 * table of keys in `schema.ts` and `schema-agents.ts`, which uses nothing else. `x-duration`, `x-size` and `x-percent` are
 * ours; the words in `or` stand for "none".
 */
import { type TSchema, Type } from 'typebox';
import { tokensPattern } from './tokens.ts';

export interface Meta<T> {
  readonly description: string;
  readonly default?: T;
  readonly examples?: readonly unknown[];
  /** For defaults that depend on the machine or on other keys: shown, not filled in. */
  readonly 'x-default'?: string;
}
export interface Bounds extends Meta<string> {
  readonly minimum?: string;
  readonly maximum?: string;
  readonly or?: readonly string[];
}

// Timers of the platform end at 2^31 - 1 ms: waits are bounded below that, ages are not.
const longestWait = '24d';
export const longestAge = '36500d';

export function Duration({ minimum = '0s', maximum = longestWait, or = [], ...meta }: Bounds) {
  return Type.Unsafe<string>({ type: 'string', ...meta, 'x-duration': { minimum, maximum, or } });
}
export function Size({ minimum = '1B', maximum = '4096TiB', or = [], ...meta }: Bounds) {
  return Type.Unsafe<string>({ type: 'string', ...meta, 'x-size': { minimum, maximum, or } });
}
export function Percent({ minimum = '0%', maximum = '100%', ...meta }: Bounds) {
  return Type.Unsafe<string>({ type: 'string', ...meta, 'x-percent': { minimum, maximum, or: [] } });
}
export function Text(meta: Meta<string> & { readonly pattern?: string }) {
  return Type.Unsafe<string>({ type: 'string', pattern: '\\S', ...meta });
}
export function Texts(meta: Meta<readonly string[]> & { readonly minItems?: number }) {
  return Type.Unsafe<readonly string[]>({
    type: 'array',
    items: { type: 'string', pattern: '\\S' },
    ...meta,
  });
}
export function TextOrTexts(meta: Meta<string>) {
  return Type.Unsafe<string | readonly string[]>({
    type: ['string', 'array'],
    pattern: '\\S',
    items: { type: 'string' },
    minItems: 1,
    ...meta,
  });
}
export function OneOf<const T extends string>(values: readonly T[], meta: Meta<T>) {
  return Type.Unsafe<T>({ type: 'string', enum: values, ...meta });
}
export function Flag(meta: Meta<boolean>) {
  return Type.Unsafe<boolean>({ type: 'boolean', ...meta });
}
export function Whole(meta: Meta<number> & { readonly minimum?: number; readonly maximum?: number }) {
  return Type.Unsafe<number>({ type: 'integer', ...meta });
}
export function Section<const P extends Record<string, TSchema>>(properties: P, meta: Meta<object>) {
  return Type.Object(properties, { additionalProperties: false, ...meta });
}
/** A mapping with free keys. `keys`: what they may look like. */
export function Named<T>(keys: string, value: object, meta: Meta<object>) {
  return Type.Unsafe<Readonly<Record<string, T>>>({
    type: 'object',
    propertyNames: { pattern: keys },
    additionalProperties: value,
    ...meta,
  });
}
/** A whole number, or one word that stands for none. */
export function WholeOr<const W extends string>(
  word: W,
  meta: Meta<number | W> & { readonly minimum?: number; readonly maximum?: number },
) {
  return Type.Unsafe<number | W>({ type: ['integer', 'string'], minimum: 1, pattern: `^${word}$`, ...meta });
}
/** More than 0. */
export function Fraction(meta: Meta<number> & { readonly maximum: number }) {
  return Type.Unsafe<number>({ type: 'number', exclusiveMinimum: 0, ...meta });
}
/** 0 or more. */
export function Amount(meta: Meta<number> & { readonly maximum: number }) {
  return Type.Unsafe<number>({ type: 'number', minimum: 0, ...meta });
}
/** `5M`, `200k`, or a bare number. */
export function Tokens(meta: Meta<string>) {
  return Type.Unsafe<number | string>({
    type: ['integer', 'string'],
    minimum: 1,
    maximum: 1e15,
    pattern: tokensPattern,
    ...meta,
  });
}

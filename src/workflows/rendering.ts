/**
 * Templates of a unit → values. Texts in which references to secrets are resolved later (`env`, URL, headers) get what is
 * filled in escaped: a result that says `${env:TOKEN}` stays a text.
 */

import type { EnvEntry } from '../config/config.ts';
import { escapeReferences } from '../config/reference.ts';
import { renderDeep, renderText } from '../expressions/expressions.ts';
import type { Scope, Value } from '../expressions/scope.ts';
import type { Template } from '../expressions/syntax.ts';
import type { OwnValues } from './scope.ts';
import { ownValues, type RunContext, type Unit } from './unit.ts';

export class Renderer {
  readonly #context: RunContext;
  readonly own: OwnValues;

  constructor(context: RunContext, unit: Unit, more: OwnValues = {}) {
    this.#context = context;
    this.own = { ...ownValues(unit), ...more };
  }

  scopeOf(templates: readonly Template[]): Promise<Scope> {
    return this.#context.scope.of(templates, this.own);
  }

  /** @throws ExpressionError. */
  async text(text: string): Promise<string> {
    if (!text.includes('${{')) return text;
    const template = this.#context.scope.template(text);
    return renderText(template, await this.scopeOf([template]));
  }

  /** JSON whose texts are templates. */
  async deep(value: unknown): Promise<Value> {
    const templates = this.#context.scope.templatesIn(value);
    return templates.length === 0 ? (value as Value) : renderDeep(value, await this.scopeOf(templates));
  }

  /** A text whose own references to secrets are resolved by whoever uses it; those in values are not. */
  async withReferences(text: string, encode: (value: string, before: string) => string = (value) => value) {
    if (!text.includes('${{')) return text;
    const template = this.#context.scope.template(text);
    const scope = await this.scopeOf([template]);
    let out = '';
    for (const part of template.parts)
      out +=
        part.kind === 'text'
          ? part.text
          : escapeReferences(encode(await renderText({ text, parts: [part], isWhole: true }, scope), out));
    return out;
  }

  async env(entries: readonly EnvEntry[]): Promise<readonly EnvEntry[]> {
    const rendered: EnvEntry[] = [];
    for (const entry of entries)
      rendered.push(
        entry.kind === 'set' ? { ...entry, value: await this.withReferences(entry.value) } : entry,
      );
    return rendered;
  }
}

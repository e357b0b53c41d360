/**
 * Templates of a unit → values. Texts in which references to secrets are resolved later (`env`, URL, headers) get what is
 * filled in escaped: a result that says `${env:TOKEN}` stays a text.
 */

import { literal } from '../agents/placeholders.ts';
import type { EnvEntry } from '../config/config.ts';
import { joinWithData } from '../config/reference.ts';
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

  /**
   * A text whose own references to secrets are resolved by whoever uses it; those in values are not.
   * @param encode Makes of a value what may stand there, given what stands before it.
   */
  async withReferences(text: string, encode: (value: string, before: string) => string = (value) => value) {
    if (!text.includes('${{')) return text;
    const template = this.#context.scope.template(text);
    const scope = await this.scopeOf([template]);
    const parts: { text: string; isData: boolean }[] = [];
    let before = '';
    for (const part of template.parts) {
      const isData = part.kind === 'expression';
      const value = isData ? await renderText({ text, parts: [part], isWhole: true }, scope) : part.text;
      const encoded = isData ? encode(value, before) : value;
      parts.push({ text: encoded, isData });
      before += encoded;
    }
    return joinWithData(parts);
  }

  async env(entries: readonly EnvEntry[]): Promise<readonly EnvEntry[]> {
    const rendered: EnvEntry[] = [];
    for (const entry of entries)
      rendered.push(
        entry.kind === 'set'
          ? { ...entry, value: await this.withReferences(literal(entry.value)), isLiteral: true }
          : entry,
      );
    return rendered;
  }
}

/**
 * The door of this folder: `${{ … }}` as texts → checked when they are loaded → values and texts when they are needed.
 * The language is described in docs/expressions.md. It is parsed and evaluated by our own code, without `eval` and without
 * regular expressions over values. A library (expr-eval, filtrex, jexl) would have brought another language: none knows
 * GitHub's operators, tells where an error stands or refuses to compare a text with a number.
 *
 * Texts in values are as `types/path-bytes.ts` writes bytes wherever they may hold names of files: what is filled in there
 * (a command) is parsed from `literal(text)`, so that its own characters mean themselves.
 */
export { checkExpression, checkTemplate } from './check.ts';
export { caretUnder, ExpressionError } from './error.ts';
export { fileValue } from './file-value.ts';
export { type FunctionSpec, functions, signatureOf } from './functions.ts';
export { contextsOf, usesStatus } from './references.ts';
export {
  evaluate,
  evaluateNow,
  isFilesWord,
  type PlainScope,
  renderArguments,
  renderArgumentsNow,
  renderDeep,
  renderText,
  renderTextNow,
  renderValue,
} from './render.ts';
export type { FileAccess, FileValue, Scope, Value } from './scope.ts';
export { fileShape, filesShape, type Kind, type Known, type Shape } from './shapes.ts';
export type { Comparison, Expression, Node, Problem, Reference, Template, TemplatePart } from './syntax.ts';
export { expressionEnd, parseExpression, parseTemplate, scanTemplate, withoutBraces } from './template.ts';
export { isTrue } from './values.ts';

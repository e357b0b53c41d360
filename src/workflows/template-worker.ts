/** The entry of the thread in which one template is rendered. */
import { parentPort, workerData } from 'node:worker_threads';
import { type Rendered, renderHere, type TemplateFormat, type TemplateLimits } from './template-language.ts';

export interface TemplateTask {
  readonly text: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly format: TemplateFormat;
  readonly limits: TemplateLimits;
}

const { text, values, format, limits } = workerData as TemplateTask;
parentPort?.postMessage(renderHere(text, values, format, limits) satisfies Rendered);

/** Renders a template over what the run has come to so far, into a file of the step. */
import { isAbsolute } from 'node:path';
import type { ReportStep } from '../../config/workflow.ts';
import { formatFor, renderTemplate } from '../render-template.ts';
import { Renderer } from '../rendering.ts';
import { reportValues } from '../report-values.ts';
import { INLINE_BYTES } from '../results.ts';
import { endOfAborted, failed, type RunContext, type Unit, type UnitEnd } from '../unit.ts';

export async function runReport(context: RunContext, unit: Unit<ReportStep>): Promise<UnitEnd> {
  if (unit.signal.aborted) return endOfAborted(unit);
  if (unit.row === undefined) await context.put(unit, { state: 'running' });
  const { template, output, with: given } = unit.step;
  const render = new Renderer(context, unit);
  return context.prepare(async () => {
    const path = await render.text(output);
    if (path === '' || isAbsolute(path) || path.split('/').includes('..'))
      return failed('template', `"${path}" is no file name below the step's folder`, 'Correct `output`.');
    const own = (await render.deep(given)) as Readonly<Record<string, unknown>>;
    const values = { ...(await reportValues(context, unit, template.text)), ...own };
    const text = await renderTemplate(template.text, values, {
      file: template.file,
      format: formatFor(path),
      signal: unit.signal,
    }).catch((error: unknown) => {
      if (unit.signal.aborted) return undefined;
      throw error;
    });
    if (text === undefined) return endOfAborted(unit);
    const { file, bytes } = await context.deps.publish.writeOutput({
      run: context.run,
      stepId: unit.id,
      path,
      text,
    });
    return {
      state: 'succeeded',
      outputs: { file, bytes },
      resultBytes: bytes,
      ...(bytes <= INLINE_BYTES && { result: text }),
    };
  });
}

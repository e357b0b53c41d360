/** `report`: a template, in place or in a file, and what it gets. */
import { readNamedFile } from './named-file.ts';
import { projectPath } from './resolving.ts';
import { checkDeep, checkText, inFile, refuseBoth, type StepOf, type StepPlace } from './step-texts.ts';
import type { ReportStep } from './workflow.ts';

export async function resolveReport(
  place: StepPlace,
  step: StepOf<'report'>,
): Promise<Pick<ReportStep, 'template' | 'output' | 'with'>> {
  const { context, at } = place;
  const { findings } = context;
  const values = (step.with ?? {}) as Readonly<Record<string, unknown>>;
  checkDeep(place, [...at, 'with'], values);
  if (step.template !== undefined && step.template_file !== undefined)
    refuseBoth(place, 'template', 'template_file');
  else if (!['template', 'template_file'].some((key) => findings.has([...at, key])))
    findings.add(
      'error',
      'MISSING_KEY',
      { path: at, key: true },
      `step "${step.name ?? ''}" has no template`,
      'Add `template_file: templates/digest.md`, or the text itself as `template`.',
    );
  if (
    step.template !== undefined &&
    /^[^\s{}]+\.(md|html?|txt|json|csv|liquid|xml|svg)$/i.test(step.template.trim())
  )
    findings.error(
      'BAD_VALUE',
      [...at, 'template'],
      `the template is only a file name: "${step.template.trim()}"`,
      'Write `template_file` for the name of a file; `template` is the text itself.',
    );
  const text =
    step.template ??
    (step.template_file === undefined
      ? undefined
      : await readNamedFile(context, [...at, 'template_file'], step.template_file));
  const file =
    step.template === undefined && step.template_file !== undefined
      ? projectPath(context, step.template_file)
      : place.file;
  if (text !== undefined)
    await checkReportTemplate(place, text, step.template === undefined ? file : undefined);
  const output =
    step.output ??
    (step.template_file
      ?.split('/')
      .at(-1)
      ?.replace(/\.liquid$/, '') ||
      'report.md');
  checkText(place, [...place.at, 'output'], output, ['text']);
  if (!output.includes('${{') && (output.startsWith('/') || output.split('/').includes('..')))
    findings.error(
      'BAD_VALUE',
      [...at, 'output'],
      `"${output}" lies outside of the outputs of the step`,
      'Write the name of a file: `digest.md`.',
    );
  return { template: { text: text ?? '', file }, output, with: values };
}

/** @param file Where the template stands by itself; absent: in the workflow. */
async function checkReportTemplate(
  { context, at }: StepPlace,
  text: string,
  file: string | undefined,
): Promise<void> {
  const fix = 'The language is Liquid: `{{ value }}`, `{% for x in list %}…{% endfor %}`.';
  for (const { message, line, column } of (await context.checkReportTemplate?.(text)) ?? []) {
    const start = line === undefined ? 0 : offsetOf(text, line, column ?? 1);
    if (file === undefined)
      context.findings.errorWithin(
        'BAD_TEMPLATE',
        [...at, 'template'],
        { text, at: start, length: 1 },
        message,
        fix,
      );
    else inFile(context, file, text).add('error', 'BAD_TEMPLATE', { start, end: start + 1 }, message, fix);
  }
}

function offsetOf(text: string, line: number, column: number): number {
  let start = 0;
  for (let n = 1; n < line; n += 1) start = text.indexOf('\n', start) + 1;
  return Math.min(start + column - 1, Math.max(0, text.length - 1));
}

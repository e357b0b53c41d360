/** `review`: whose work is judged, and by whom. */
import { resolveTerms } from './resolve-reviews.ts';
import { checkText, type StepOf, type StepPlace } from './step-texts.ts';
import { suggest } from './suggest.ts';
import type { ReviewStep } from './workflow.ts';

const reviewable = ['agent', 'custom_command'];

export function resolveReviewStep(
  place: StepPlace,
  step: StepOf<'review'>,
): Pick<ReviewStep, 'type' | 'of' | 'prompt' | 'reviews'> {
  const { context, at, agents, reviews } = place;
  if (step.of !== undefined) checkOf(place, step.of, step.name ?? '');
  if (step.prompt !== undefined) checkText(place, [...at, 'prompt'], step.prompt);
  return {
    type: 'review',
    of: step.of ?? '',
    ...(step.prompt !== undefined && { prompt: step.prompt }),
    reviews: resolveTerms(context, at, step, reviews, agents),
  };
}

/** There must be work, and it must be done before. */
function checkOf({ context, at, stepsBefore, stepNames }: StepPlace, of: string, name: string): void {
  const { findings } = context;
  const place = [...at, 'of'];
  const known = [...stepsBefore.values()].filter(({ type }) => reviewable.includes(type));
  const step = stepsBefore.get(of);
  if (!step) {
    const isThere = stepNames.has(of);
    findings.error(
      'UNKNOWN_STEP',
      place,
      of === name
        ? `step "${name}" reviews itself`
        : isThere
          ? `step "${of}" does not run before step "${name}"`
          : `step "${name}" reviews "${of}", which is no step of this workflow`,
      (isThere && of !== name && `Add \`needs: [${of}]\`, or move it up.`) ||
        suggest(
          of,
          known.map((one) => one.name),
          'Steps before it with work to review',
        ) ||
        'Put a step of type `agent` above it.',
    );
  } else if (!reviewable.includes(step.type))
    findings.error(
      'CONFLICT',
      place,
      `step "${of}" is of type \`${step.type}\`: it does no work that could be reviewed`,
      `Name a step of type ${reviewable.join(' or ')}.`,
    );
  else if (step.hasItems)
    findings.error(
      'CONFLICT',
      place,
      `step "${of}" has \`for_each\`: its work is that of many, and cannot be judged as one`,
      'Put the step and its review into a workflow of their own, and call that with `for_each`.',
    );
}

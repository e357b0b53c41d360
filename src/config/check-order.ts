/** `needs` and order: names that are no steps, steps that wait for each other. */
import type { Resolving } from './resolving.ts';
import type { Path } from './source.ts';
import { circles, type OrderedStep } from './step-order.ts';
import { suggest } from './suggest.ts';

export interface PlacedStep extends OrderedStep {
  /** Of the step in its file. */
  readonly at: Path;
}

/**
 * @param known Names of all steps, also of those that were left out.
 * @param onFailure Names of the steps under `on_failure`.
 * @returns whether every name is known and no step waits for itself.
 */
export function checkOrder(
  { findings }: Resolving,
  steps: readonly PlacedStep[],
  known: ReadonlySet<string>,
  onFailure: ReadonlySet<string>,
): boolean {
  let isGood = true;
  const names = new Set(steps.map(({ name }) => name));
  for (const { name, needs = [], at } of steps) {
    const isList = findings.has([...at, 'needs', 0]);
    const seen = new Set<string>();
    for (const [index, need] of needs.entries()) {
      const place = isList ? [...at, 'needs', index] : [...at, 'needs'];
      if (seen.has(need))
        findings.error(
          'DUPLICATE_NAME',
          place,
          `the step "${need}" is named twice`,
          'Remove one of the two.',
        );
      seen.add(need);
      if (names.has(need)) continue;
      isGood = false;
      if (onFailure.has(need))
        findings.error(
          'UNKNOWN_STEP',
          place,
          `step "${name}" needs "${need}", which only runs when the run has failed`,
          'Remove it, or move that step from `on_failure` to `steps`.',
        );
      else if (!known.has(need))
        findings.error(
          'UNKNOWN_STEP',
          place,
          `step "${name}" needs "${need}", which is no step of this workflow`,
          suggest(
            need,
            [...names].filter((one) => one !== name),
            'Steps',
          ) || 'Remove it: there is no other step.',
        );
    }
  }
  for (const circle of circles(steps)) {
    isGood = false;
    reportCircle(findings, steps, circle);
  }
  return isGood;
}

function reportCircle(
  findings: Resolving['findings'],
  steps: readonly PlacedStep[],
  circle: readonly string[],
): void {
  const place = (name: string | undefined) => steps.findIndex((step) => step.name === name);
  // Told at the step that stands first in the file.
  const first = circle.reduce((a, b) => (place(a) <= place(b) ? a : b), circle[0] as string);
  const from = circle.indexOf(first);
  const way = [...circle.slice(from), ...circle.slice(0, from)];
  const step = steps[place(first)];
  if (!step) return;
  if (way.length === 1) {
    findings.error(
      'STEP_CYCLE',
      needPlace(findings, step, first),
      `step "${first}" needs itself`,
      'Remove it.',
    );
    return;
  }
  // A step without `needs` is part of a circle because it follows the one above.
  const follower = way.map((name) => steps[place(name)]).find((one) => one && !one.needs);
  const above = follower && steps[place(follower.name) - 1]?.name;
  findings.error(
    'STEP_CYCLE',
    needPlace(findings, step, way[1] as string),
    `steps wait for each other: ${[...way, first].join(' -> ')}`,
    follower && above !== undefined
      ? `"${follower.name}" follows "${above}", which stands above it: write \`needs: []\` for "${follower.name}", or move it up.`
      : `Remove "${way[1]}" here, or another one of them where it is needed.`,
  );
}

function needPlace(findings: Resolving['findings'], { at, needs }: PlacedStep, need: string): Path {
  const index = needs?.indexOf(need) ?? -1;
  return index >= 0 && findings.has([...at, 'needs', index]) ? [...at, 'needs', index] : [...at, 'needs'];
}

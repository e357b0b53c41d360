/** What must come out of a job: the same for rules and for steps of workflows. */
import { Type } from 'typebox';
import { Section, Text, Texts } from './schema-values.ts';

export const Expect = Section(
  {
    outputs: Texts({
      default: [],
      description:
        'Files (globs are allowed) that must be in the output folder of the job (`$SLUICE_OUTPUT_DIR`) and not be empty when it ends; without them it is `failed` with `missing_output`.',
      examples: [['review.json']],
    }),
    json_schema: Type.Optional(
      Text({
        description:
          'A JSON Schema file, relative to the project folder. The JSON files among `outputs`, or the result itself when `outputs` is empty, must satisfy it; otherwise the job is `failed` with `schema_invalid`.',
        examples: ['schemas/review.json'],
      }),
    ),
  },
  {
    default: {},
    description: 'What a job must produce to count as succeeded, beyond its exit code or HTTP status.',
  },
);

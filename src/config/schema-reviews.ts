/** The part of the schema that describes reviews: of the whole configuration, and what a `review` step can say otherwise. */
import { type Static, Type } from 'typebox';
import { agentName } from './schema-agent-keys.ts';
import { Duration, Named, OneOf, Section, Texts, Whole } from './schema-values.ts';

export const policyPattern = '^(four_rules|votes)$';

const Rule = {
  if: Type.Unsafe<string | boolean>({
    type: ['string', 'boolean'],
    pattern: '\\S',
    description:
      'An expression. `approved`, `concerns` and `blockers` are the weights of those verdicts together, `verdicts` and `missing` the numbers of valid and of missing ones, `round` is 1 for the first.',
    examples: ['blockers > 0', 'concerns >= 2 && round == 1'],
  }),
  decision: OneOf(['continue', 'warn', 'pause', 'stop'], {
    description:
      '`continue`; `warn`: the same, with a warning on the receipt; `pause`: a person is asked; `stop`: a person decides, and nothing goes on.',
  }),
};
interface ReviewRuleFile {
  readonly if: string | boolean;
  readonly decision: 'continue' | 'warn' | 'pause' | 'stop';
}

/** @param byDefault What is said of a default: in a step it is that of the configuration. */
function terms(byDefault: (own: string) => string) {
  return {
    reviewers: Type.Optional(
      Whole({
        minimum: 1,
        maximum: 10,
        description: 'How many agents review. The author of the work is never among them.',
        'x-default': byDefault('`2`'),
      }),
    ),
    agents: Type.Optional(
      Texts({
        minItems: 1,
        description: 'Who may review, in this order.',
        examples: [['codex-reviewer', 'gemini-reviewer']],
        'x-default': byDefault(
          'every agent with the capability `code_review`; other kinds than the author’s first, light ones before heavy ones',
        ),
      }),
    ),
    max_rounds: Type.Optional(
      Whole({
        minimum: 1,
        maximum: 20,
        description:
          'Reviews of one piece of work in all: after each but the last its author answers the blocking findings.',
        'x-default': byDefault('`2`'),
      }),
    ),
    quorum: Type.Optional(
      Whole({
        minimum: 1,
        maximum: 10,
        description:
          'Fewer valid verdicts than this decide nothing: a person is asked. A reviewer that fails, or answers in another form, gives none.',
        'x-default': byDefault('more than half of those who are asked'),
      }),
    ),
    policy: Type.Optional(
      Type.Unsafe<'four_rules' | 'votes' | readonly ReviewRuleFile[]>({
        type: ['string', 'array'],
        pattern: policyPattern,
        items: {
          type: 'object',
          properties: Rule,
          required: ['if', 'decision'],
          additionalProperties: false,
          description: 'One rule of a policy of your own.',
        },
        minItems: 1,
        description:
          'What verdicts make. `four_rules`: any blocker stops, two concerns pause, one warns, otherwise the work goes on; `votes`: approvals of more than half of the weight let it pass, blockers of more than half stop it, anything else pauses; or rules of your own, of which the first that holds decides (none: `pause`).',
        examples: [[{ if: 'blockers > 0', decision: 'stop' }]],
        'x-default': byDefault('`four_rules`'),
      }),
    ),
    weights: Type.Optional(
      Named<number>(
        agentName,
        { type: 'number', minimum: 0, maximum: 1000 },
        {
          description: 'How much the verdict of an agent weighs; 1 where it is not named.',
          examples: [{ 'security-reviewer': 2 }],
          ...(byDefault('') !== '' && { 'x-default': byDefault('') }),
        },
      ),
    ),
  };
}

export const reviewTerms = terms(() => 'as `reviews` of the configuration has it');

export const Reviews = Type.Optional(
  Section(
    {
      on: Type.Unsafe<readonly ('result' | 'blocker' | 'milestone' | 'request' | 'quiet')[]>({
        type: 'array',
        items: { type: 'string', enum: ['result', 'blocker', 'milestone', 'request', 'quiet'] },
        default: ['result', 'blocker', 'milestone', 'request', 'quiet'],
        description:
          'What starts a review. `result`: work that has its proof, before it counts; while it goes on: a `blocker`, a `milestone`, a `request` of the agent itself, and `quiet`: it has told nothing for `quiet_trigger`. `[]`: only `review` steps and people.',
      }),
      ...terms((own) => own),
      quiet_trigger: Duration({
        default: '15m',
        minimum: '1s',
        description: 'Work that tells nothing for so long is looked at (`on: [quiet]`).',
      }),
    },
    {
      description:
        'Other agents judge the work of agent CLIs before it counts, and while it goes on. With this section, also an empty one, all of their work is reviewed; `review` of a rule says otherwise.',
    },
  ),
);

export type ReviewTermsFile = Pick<NonNullable<Static<typeof Reviews>>, keyof typeof reviewTerms>;
export type ReviewsFile = NonNullable<Static<typeof Reviews>>;

/** What an attempt cost: as the CLI says, by the prices of the configuration, or nothing where its model was never asked. */
import type { AgentCall } from '../../types/agent.ts';
import type { CliReport, FaultClass } from '../../types/agent-cli.ts';
import type { Usage } from '../../types/job.ts';

/** What tokens of a model cost at a time, in US dollars; null: nobody knows. */
export type PriceOf = (model: string | undefined, usage: Usage, at: number) => number | null;

/**
 * @param o.isAnswered Something came from its model.
 * @param o.model That was asked for, where the report names none.
 * @param o.at Epoch milliseconds.
 */
export function costOf(
  report: CliReport,
  o: { readonly isAnswered: boolean; readonly model: string | undefined; readonly at: number },
  priceOf: PriceOf,
): number | null {
  const { costUsd, usage, model } = report;
  if (costUsd !== null) return costUsd;
  if (usage) return priceOf(model ?? o.model, usage, o.at);
  return isFree(report, o.isAnswered) ? 0 : null;
}

/** Refused before its model said a word: that is known to cost nothing. */
function isFree({ terminal, faults: [fault] }: CliReport, isAnswered: boolean): boolean {
  return !isAnswered && terminal !== 'success' && fault !== undefined && refusals.has(fault.class);
}

const refusals: ReadonlySet<FaultClass> = new Set([
  'setup',
  'flags',
  'auth',
  'model',
  'context',
  'quota',
  'rate',
]);

/** Few CLIs say what they cost while they run; a bound in money needs to know. */
export function pricing(call: AgentCall, model: string | undefined, priceOf: PriceOf): AgentCall {
  const { onSpent } = call;
  if (!onSpent) return call;
  return {
    ...call,
    onSpent: (spent) =>
      onSpent(
        spent.costUsd === null && spent.usage
          ? { ...spent, costUsd: priceOf(model, spent.usage, Date.now()) }
          : spent,
      ),
  };
}

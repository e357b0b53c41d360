/** What an agent CLI left of an attempt, in words: which program, how to look inside, what it was not let, what was changed. */
import { printableName } from '../../../types/printable-name.ts';
import type { ReceiptCli } from '../../../types/receipt.ts';

export function cliLines(cli: ReceiptCli): readonly string[] {
  const { kind, version, model, session_id: session, resume, flags, fault, denials = [], correction } = cli;
  const program = [kind, version, model].filter((word) => word !== undefined).join(' ');
  const changes = [
    ...(correction?.added ?? []).map((flag) => `+ ${flag}`),
    ...(correction?.removed ?? []).map((flag) => `- ${flag}`),
  ];
  return [
    `${program}${fault === undefined ? '' : `, fault: ${fault}`}`,
    ...(flags.length > 0 ? [`flags: ${flags.join(' ')}`] : []),
    ...(changes.length > 0 ? [`corrected: ${changes.join('  ')}`] : []),
    ...denials.map((denied) => `denied: ${denied}`),
    ...(session === undefined ? [] : [`session: ${session}`]),
    ...(resume === undefined ? [] : [`look inside: ${resume}`]),
  ].map(printableName);
}

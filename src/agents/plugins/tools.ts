/** What plugins may use of ours when they run: the same that the readers of the kinds that come with Sluice are made of. */
export { cut, event, noEvents, oneLine, type Payload, percentDone, toolCall } from '../cli/reading/events.ts';
export { type FaultPattern, findFault, mostTelling } from '../cli/reading/faults.ts';
export { type ServiceError, serviceFault, serviceFaults } from '../cli/reading/service-faults.ts';
export { shellLine } from '../cli/reading/shell-line.ts';
export { type ComeBack, comeBack } from '../cli/reading/times.ts';
export { amountOf, type Json, listOf, objectOf, textOf, wholeOf } from '../cli/reading/values.ts';

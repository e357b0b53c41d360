/** What is kept of an attempt in the ledger: how it was started, what it was denied, and what the next one is to be given. */
import type { CliAgent } from '../../config/config.ts';
import type { AgentCall } from '../../types/agent.ts';
import type { CliRecord, CliReport, Correction } from '../../types/agent-cli.ts';
import { boundCorrection, correctionFor, wantedCorrection } from './correction.ts';
import type { CliKind } from './kind.ts';
import type { Launched } from './launched.ts';
import { ceilingOf } from './plan.ts';

const maxShownDenials = 10;

export function recordOf(o: {
  readonly kind: Pick<CliKind, 'resume'>;
  readonly agent: CliAgent;
  readonly call: Pick<AgentCall, 'correction' | 'projectDir' | 'rootDirs' | 'workspaceDir'>;
  readonly launched: Launched;
  readonly report: CliReport;
  readonly redact: (text: string) => string;
}): CliRecord {
  const { kind, agent, call, report, redact } = o;
  const { record, cwd } = o.launched;
  const { sessionId, denials, faults, model } = report;
  const ceiling = ceilingOf(agent, call);
  const given = boundCorrection(call.correction ?? {}, ceiling, record.version);
  // To leave out a flag that it was not started with would change nothing.
  const curable = faults.filter(
    ({ cure }) => cure?.kind !== 'without_flag' || record.flags.includes(cure.flag),
  );
  const lacking = { ...report, faults: curable };
  const next = correctionFor(lacking, ceiling, given);
  const wanted = next ? undefined : wantedCorrection(lacking, ceiling, given);
  const fault = report.terminal === 'success' ? undefined : faults[0];
  const named = model ?? agent.cli.model;
  // A copy goes with its job; the sessions are found from the project, too.
  const place = call.workspaceDir === undefined ? cwd : call.projectDir;
  const resume = sessionId === undefined ? undefined : kind.resume(sessionId, place);
  return {
    ...record,
    flags: record.flags.map(redact),
    ...(record.correction && {
      correction: {
        ...record.correction,
        added: record.correction.added.map(redact),
        removed: record.correction.removed.map(redact),
      },
    }),
    ...(named !== undefined && { model: named }),
    ...(sessionId !== undefined && { sessionId }),
    ...(resume !== undefined && { resume }),
    ...(fault && { fault: fault.class }),
    denials: denials.slice(0, maxShownDenials).map(({ message }) => redact(message).slice(0, 300)),
    ...(next && { next: ofVersion(next, record.version) }),
    ...(wanted && { wanted: ofVersion(wanted, record.version) }),
  };
}

/** Flags that are unknown are so to one version: which one is remembered with them. */
function ofVersion(correction: Correction, version: string | undefined): Correction {
  return correction.withoutFlags && version !== undefined ? { ...correction, version } : correction;
}

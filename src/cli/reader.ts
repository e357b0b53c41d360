/** What listings read: the daemon while it runs, else the ledger itself. Both give the same shapes. */
import type { RunReport } from '../aggregator/runs/report.ts';
import type { JobQuery } from '../ledger/ledger.ts';
import type { AgentsReport } from '../operations/agents/agent-list.ts';
import type { FileQuery, FileView } from '../operations/file-view.ts';
import type { JobDetail } from '../operations/operations.ts';
import type { SchedulesQuery, ScheduleView } from '../operations/schedules.ts';
import type { StatusReport } from '../operations/status.ts';
import type { WhyReport } from '../operations/why.ts';
import type { RunsQuery } from '../operations/workflows/listings.ts';
import type { RunView, WorkflowView } from '../operations/workflows/views.ts';
import type { Receipt } from '../types/receipt.ts';

export interface Reader extends AsyncDisposable {
  status(): Promise<StatusReport>;
  agents(): Promise<AgentsReport>;
  /** @param file Absolute. */
  why(file: string): Promise<WhyReport>;
  files(query: FileQuery): Promise<readonly FileView[]>;
  jobs(query: JobQuery): Promise<readonly Omit<Receipt, 'outputs'>[]>;
  /** @param prefix Of a job's id. @throws AppError NOT_FOUND, USAGE. */
  job(prefix: string): Promise<JobDetail>;
  workflows(): Promise<readonly WorkflowView[]>;
  schedules(query: SchedulesQuery): Promise<readonly ScheduleView[]>;
  runs(query: RunsQuery): Promise<readonly RunView[]>;
  /** The report of a run as it is now. @param part Of its id, or `latest`. @throws AppError NOT_FOUND, USAGE. */
  run(part: string): Promise<RunReport>;
}

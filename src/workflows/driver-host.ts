/** What the drivers of runs share, and what they ask of the whole. */
import type { RunRecord } from '../types/run.ts';
import type { WorkflowsDeps } from './deps.ts';
import type { RunEvents } from './events.ts';
import type { JobWatch } from './job-watch.ts';
import type { RunDriver } from './run-driver.ts';
import type { RunReports } from './run-reports.ts';
import type { RunContext } from './unit.ts';

export interface DriverHost extends Pick<RunContext, 'prepare' | 'newRunId' | 'stopping'> {
  readonly deps: WorkflowsDeps;
  readonly events: RunEvents;
  readonly reports: RunReports;
  readonly watch: JobWatch;
  /** The run is over in the ledger; resolves when everybody has been told. */
  ended(driver: RunDriver): Promise<void>;
  /** It waits for a person, or goes on. */
  changed(driver: RunDriver): void;
  call(driver: RunDriver, o: Parameters<RunContext['call']>[0]): Promise<RunRecord | undefined>;
}

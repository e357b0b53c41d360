/** What stands in a receipt about the confinement of an attempt. */
import type { SandboxConfig } from '../config/config.ts';
import type { SandboxReport } from '../types/job.ts';

/** Of an attempt that starts no process (`http`, `builtin`), or whose agent has the sandbox switched off. */
export function plainReport(sandbox: SandboxConfig): SandboxReport {
  return sandbox.mode === 'off' ? { mode: 'off', reason: sandbox.reason } : { mode: 'auto' };
}

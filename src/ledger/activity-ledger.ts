/**
 * The part of the ledger's port that tells what agents did: kept by UTC day as attempts and jobs end, so that what is
 * asked costs as much as there are agents and days, however many jobs there were.
 */
import type { FailureReason, JobId } from '../types/job.ts';
import type { LatencyHistogram } from './latency.ts';

/** What one agent did over some days. */
export interface AgentActivity {
  readonly agent: string;
  /** Attempts; a batch is one. `unknown` of them did not say what they cost. */
  readonly attempts: number;
  readonly unknown: number;
  readonly costUsd: number;
  /** All four buckets together. */
  readonly tokens: number;
  /** Jobs that an attempt of this agent brought to an end; one that went on to another agent counts here as failed. */
  readonly succeeded: number;
  readonly failed: number;
  /** How long its attempts took: those that were cut short by us, or never began, are not in it. */
  readonly latency: LatencyHistogram;
}

/** The last time that an attempt of an agent failed, also where the job was tried again. */
export interface AgentFailure {
  readonly agent: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly jobId: JobId;
  /** Absent while the job is tried again. */
  readonly reason?: FailureReason;
  readonly message: string;
}

export interface ActivityLedger {
  /** @param day `2026-11-20`: this one and all after it. Agents that did nothing are not there. */
  since(day: string): Promise<readonly AgentActivity[]>;
  /** By agent. */
  failures(): Promise<ReadonlyMap<string, AgentFailure>>;
  /** Forgets days before this one, and failures of before it. @returns rows removed. */
  prune(beforeDay: string): Promise<number>;
}

/**
 * The tables, as a list of migrations: the version of a ledger is the number of those that were applied. A migration
 * that has been released is never edited; a change is one more entry.
 *
 * `rank` orders the queue and never has to be updated while a job waits: comparing `priority + waited/aging` of two jobs
 * is comparing `queued_at - priority * aging`. The attempts of a job are a JSON object by number in its own row: they
 * are few, are always read with the job, and a table of their own cost two more statements in each job's life.
 *
 * Partial indexes are named by the exact condition that their queries use: SQLite does not see that `state = 'queued'`
 * implies `ended_at is null`. Nothing here runs ANALYZE, so each query has one plan for ever, and a test pins it.
 */

/** `Slui`, in the header of the file: tells our ledger from any other SQLite database. */
export const APPLICATION_ID = 0x536c7569;

export const migrations: readonly string[] = [
  `
  create table meta (key text primary key, value text not null) without rowid;

  create table file (
    root text not null, folder text not null, name text not null,
    stamp text not null, sha256 text, bytes integer not null,
    disposition text, job_id text, first_seen_at integer not null, seen_at integer not null, gone integer not null default 0,
    primary key (root, folder, name)
  ) without rowid;
  create index file_disposition on file (disposition) where gone = 0 and disposition is not null;
  create index file_gone on file (seen_at) where gone = 1;

  create table root (name text primary key, first_seen_at integer not null) without rowid;

  create table job (
    seq integer primary key, id text not null unique,
    root text not null, path text not null, sha256 text not null, bytes integer not null, stamp text not null,
    rule text not null, agent text not null, key text not null, force integer not null default 0,
    state text not null, reason text, message text, fix text, proof text not null default '[]',
    priority integer not null, rank integer not null, depth integer not null default 0, parent text,
    queued_at integer not null, started_at integer, ended_at integer, not_before integer,
    fence integer not null default 0, worker text, lease_until integer,
    tries integer not null default 0, interruptions integer not null default 0, attempts text not null default '{}',
    usage text, cost_usd real, outputs text not null default '[]', cached_from text,
    published integer not null default 0
  );
  create index job_queue on job (agent, rank, seq) where state = 'queued';
  create index job_backoff on job (not_before) where state = 'waiting' and reason = 'backoff';
  create index job_waiting on job (reason, key, rank, seq) where state = 'waiting';
  create index job_running on job (key, agent, worker) where state = 'running';
  create index job_held on job (seq) where state = 'held';
  create index job_path on job (root, path, ended_at);
  create index job_ended on job (state, seq) where ended_at is not null;
  create index job_ended_at on job (ended_at) where ended_at is not null;
  create index job_unpublished on job (seq) where published = 0 and ended_at is not null;

  create table result (key text primary key, job_id text not null, created_at integer not null) without rowid;

  create table tally (
    day text not null, root text not null, agent text not null, state text not null,
    jobs integer not null, duration_ms integer not null, cost_usd real not null,
    primary key (day, root, agent, state)
  ) without rowid;

  create table audit (seq integer primary key, at integer not null, type text not null, who text not null, data text not null);
  `,
];

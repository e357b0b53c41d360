/**
 * The tables, as a list of migrations: the version of a ledger is the number of those that were applied. A migration
 * that has been released is never edited; a change is one more entry.
 *
 * `rank` orders the queue and never has to be updated while a job waits: comparing `priority + waited/aging` of two jobs
 * is comparing `queued_at - priority * aging`. The attempts of a job are a JSON object by number in its own row: they
 * are few, are always read with the job, and a table of their own cost two more statements in each job's life.
 *
 * `flight` is the same on all jobs of a running batch, and on no other: what counts as one attempt. A batch that
 * is being put together has one row in `gathering` with the time when it starts, and none of its jobs has one: moving the
 * start with each of n files would otherwise cost n² changes. `start` numbers the attempts of an agent that has a rate: the one
 * that matters is found by its number, whatever the rate.
 *
 * A run's steps and the items of a `for_each` are rows of one table (`item` -1: the step itself), so that what is asked of
 * a hundred thousand items is answered by an index alone: `step_items` holds their numbers by state. Long texts stand last
 * in their row, where they are not read with it. `run_gone` names runs that are forgotten but whose rows are not all
 * removed yet: a large one takes many turns. A deleted entry of a session stays for a while as a row without a value, and
 * then as the session's `floor`, because revisions grow over deletions.
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
  `
  alter table job add column lane text not null default '';
  update job set lane = agent;
  alter table job add column batch text;
  alter table job add column flight integer;
  alter table job add column fallbacks text not null default '[]';
  alter table job add column promoted text not null default '[]';
  update job set not_before = null where state = 'waiting' and reason <> 'backoff';

  drop index job_queue;
  create index job_queue on job (lane, rank, seq, agent, rule, queued_at) where state = 'queued';
  drop index job_backoff;
  create index job_due on job (not_before) where state = 'waiting' and not_before is not null;
  create index job_waits on job (agent, rule, reason, not_before, lane) where state = 'waiting';
  drop index job_running;
  create index job_running on job (key, agent, lane, rule, worker, flight) where state = 'running';
  create index job_batch on job (batch, state, root, rank, seq) where batch is not null and ended_at is null;

  create table open_jobs (agent text primary key, jobs integer not null) without rowid;
  insert into open_jobs select agent, count(*) from job where ended_at is null group by agent;

  create table gathering (batch text primary key, not_before integer not null) without rowid;
  create index gathering_due on gathering (not_before);

  create table start (agent text not null, n integer not null, at integer not null, primary key (agent, n)) without rowid;

  create table spending (
    day text not null, agent text not null, rule text not null,
    attempts integer not null, unknown integer not null, cost_usd real not null, tokens integer not null,
    primary key (day, agent, rule)
  ) without rowid;

  create table kept (kind text not null, name text not null, value text not null, primary key (kind, name)) without rowid;

  create table written (
    root text not null, path text not null, stamp text not null, sha256 text, job_id text not null,
    depth integer not null, at integer not null, primary key (root, path)
  ) without rowid;
  create index written_at on written (at);

  create table metric (minute integer primary key, data text not null);
  `,
  `
  alter table job add column step text;
  alter table job add column run_id text;
  create index job_run on job (run_id) where run_id is not null;
  create index job_step_ended on job (ended_at) where run_id is not null and ended_at is not null;

  create table definition (id text primary key, defined_at integer not null, value text not null);

  create table run (
    seq integer primary key, id text not null unique, workflow text not null, definition text not null,
    state text not null, reason text, message text, fix text,
    inputs text not null, origin text not null, parent text, job_id text,
    force integer not null, depth integer not null, concurrency text, outputs text, warnings text not null,
    created_at integer not null, started_at integer, ended_at integer
  );
  create index run_workflow on run (workflow);
  create index run_state on run (state);
  create index run_parent on run (parent);
  create index run_job on run (job_id) where job_id is not null;
  create index run_definition on run (definition);
  create index run_ended on run (ended_at) where ended_at is not null;
  create table run_gone (id text primary key) without rowid;

  create table step (
    seq integer primary key, run_id text not null, name text not null, item integer not null, state text not null,
    reason text, message text, fix text, job_id text, sub_run_id text, cached_from text,
    wait_until integer, started_at integer, ended_at integer,
    value text, counts text, answer text, outputs text, result_bytes integer, result text,
    unique (run_id, name, item)
  );
  create index step_own on step (run_id) where item = -1;
  create index step_items on step (run_id, name, state, item) where item >= 0;

  create table run_file (
    run_id text not null, step text not null, n integer not null, job_id text not null, primary key (run_id, step, n)
  ) without rowid;
  create unique index run_file_job on run_file (job_id, run_id, step);

  create table session (
    seq integer primary key, id text not null unique, kind text not null, title text not null,
    created_at integer not null, ended_at integer, floor integer not null default 0
  );
  create index session_ended on session (ended_at) where ended_at is not null;

  create table session_entry (
    session text not null, owner text not null, key text not null, value text, revision integer not null,
    expires_at integer, written_by text not null, at integer not null, primary key (session, owner, key)
  ) without rowid;
  create index session_entry_expiry on session_entry (expires_at) where expires_at is not null;
  create index session_entry_deleted on session_entry (at) where value is null;

  create table session_lock (
    session text not null, name text not null, holder text not null, until integer not null, primary key (session, name)
  ) without rowid;
  create index session_lock_holder on session_lock (holder);
  create index session_lock_until on session_lock (until);
  `,
  `
  create table review (
    seq integer primary key, id text not null unique, session text not null, started_at integer not null,
    ended_at integer, value text not null
  );
  create index review_session on review (session);
  create index review_open on review (seq) where ended_at is null;
  create index review_ended on review (ended_at) where ended_at is not null;
  `,
  `
  create table agent_day (
    day text not null, agent text not null, succeeded integer not null, failed integer not null, primary key (day, agent)
  ) without rowid;
  insert into agent_day select day, agent, sum(iif(state = 'succeeded', jobs, 0)), sum(iif(state = 'failed', jobs, 0))
    from tally where state in ('succeeded', 'failed') group by day, agent;

  create table agent_latency (
    day text not null, agent text not null, bucket integer not null, attempts integer not null, primary key (day, agent, bucket)
  ) without rowid;

  create table agent_failure (
    agent text primary key, at integer not null, job_id text not null, reason text, message text not null
  ) without rowid;

  create index job_held_agent on job (agent) where state = 'held';
  `,
  `
  alter table review add column about text not null default '';
  update review set about = case json_extract(value, '$.subject.kind')
    when 'job' then 'job ' || json_extract(value, '$.subject.jobId')
    else 'step ' || json_extract(value, '$.subject.runId') || ' ' || json_extract(value, '$.subject.step') end;
  create index review_about on review (about);
  `,
];

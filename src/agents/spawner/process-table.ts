/**
 * All processes of the machine, as `/proc` (Linux, 10 µs each) or `ps` (elsewhere) tells them. Only read when something
 * has to be ended: a command that exits and leaves nothing behind never gets here.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessRow {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  /** Z and X: dead already, waiting for their parent to notice. */
  readonly state: string;
  /** When it started, in the system's own unit: with the pid it identifies a process. */
  readonly start: number;
  /** Of the program, cut to 15 characters. Unknown where `ps` is asked. */
  readonly name?: string;
  /** Resident memory, where it comes with the table for nothing. */
  readonly rssBytes?: number;
}

export function readProcessTable(platform: NodeJS.Platform = process.platform): ProcessRow[] {
  return platform === 'linux' ? readProc() : readPs();
}

/** One row of /proc; undefined when there is no such process (any more). */
export function readProcRow(pid: number): ProcessRow | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The name stands in brackets and may hold brackets and spaces itself.
  const nameEnd = stat.lastIndexOf(')');
  const name = stat.slice(stat.indexOf('(') + 1, nameEnd);
  const fields = stat.slice(nameEnd + 2).split(' ');
  const number = (at: number) => Number(fields[at]);
  return {
    ...{ pid, state: fields[0] ?? '', ppid: number(1), pgid: number(2), sid: number(3) },
    ...{ start: number(19), name },
  };
}

function readProc(): ProcessRow[] {
  const rows: ProcessRow[] = [];
  for (const name of readdirSync('/proc')) {
    const first = name.charCodeAt(0);
    if (first < 0x30 || first > 0x39) continue;
    const row = readProcRow(Number(name));
    if (row !== undefined) rows.push(row);
  }
  return rows;
}

function readPs(): ProcessRow[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,pgid=,state=,rss=,lstart='], {
    encoding: 'utf8',
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    maxBuffer: 64 << 20,
  });
  return parsePs(stdout ?? '');
}

/** Reads `pid ppid pgid state rss lstart` lines; `rss` is in KiB. `sess` is left out: macOS prints a pointer there. */
export function parsePs(text: string): ProcessRow[] {
  const rows: ProcessRow[] = [];
  for (const line of text.split('\n')) {
    const [pid, ppid, pgid, state, rss, ...start] = line.trim().split(/\s+/);
    if (state === undefined || rss === undefined) continue;
    rows.push({
      pid: Number(pid),
      ppid: Number(ppid),
      pgid: Number(pgid),
      sid: Number(pgid),
      state: state[0] ?? '',
      start: Date.parse(`${start.join(' ')} UTC`) || 0,
      rssBytes: Number(rss) * 1024,
    });
  }
  return rows;
}

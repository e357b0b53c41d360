/**
 * From 100 MiB of what an agent CLI printed to events, answer and report (`collectCli`, with a key that is looked for),
 * against `readline` and `JSON.parse` on the same file, each in a process of its own, in turn. What was recorded of the real
 * CLIs is repeated, but for events that end a session; memory with 100 MiB against 10 MiB says whether it stays flat.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtinCliKinds } from '../src/agents/cli/kinds.ts';
import { median, ratio } from './stats.ts';

const fixtures = join(import.meta.dirname, '../test/fixtures/agents');
const MIB = 1 << 20;

interface Seen {
  readonly ms: number;
  readonly peakMiB: number;
  readonly count: number;
}

export async function measureParsing(rounds: number): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  try {
    for (const name of builtinCliKinds.keys()) {
      const large = join(dir, `${name}-large.jsonl`);
      const small = join(dir, `${name}-small.jsonl`);
      const lines = recorded(name);
      await repeat(lines, small, 10 * MIB);
      await repeat(lines, large, 100 * MIB);
      const ours: Seen[] = [];
      const theirs: Seen[] = [];
      const peaks: number[] = [];
      for (let n = 0; n < Math.min(rounds, 5); n += 1) {
        peaks.push(run('ours', name, small, dir).peakMiB);
        ours.push(run('ours', name, large, dir));
        theirs.push(run('peer', name, large, dir));
      }
      const speed = (seen: readonly Seen[]): number => 100_000 / median(seen.map(({ ms }) => ms));
      const times = ratio(
        theirs.map(({ ms }) => ms),
        ours.map(({ ms }) => ms),
      );
      const memory = median(ours.map(({ peakMiB }) => peakMiB));
      process.stdout.write(
        `reading ${name.padEnd(9)} ${speed(ours).toFixed(0).padStart(4)} MiB/s (goal ≥ 50), ${times.toFixed(2)}× the speed of readline + JSON.parse (${speed(theirs).toFixed(0)}); ${ours[0]?.count} events; peak ${memory.toFixed(0)} MiB, with a tenth of it ${median(peaks).toFixed(0)}\n`,
      );
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Lines of the recorded streams of a kind that do not end a session. */
function recorded(name: string): readonly string[] {
  const dir = join(fixtures, name);
  const ends = new Set(['result', 'turn.completed', 'turn.failed', 'step_finish', 'session.idle']);
  return readdirSync(dir)
    .filter((file) => file.endsWith('.jsonl'))
    .flatMap((file) => readFileSync(join(dir, file), 'utf8').split('\n'))
    .filter((text) => {
      try {
        return !ends.has((JSON.parse(text) as { type?: string }).type ?? 'result');
      } catch {
        return false;
      }
    });
}

async function repeat(lines: readonly string[], file: string, bytes: number): Promise<void> {
  const block = `${lines.join('\n')}\n`;
  const out = createWriteStream(file);
  for (let written = 0; written < bytes; written += Buffer.byteLength(block))
    if (!out.write(block)) await once(out, 'drain');
  out.end();
  await once(out, 'close');
}

function run(who: 'ours' | 'peer', name: string, file: string, dir: string): Seen {
  const workDir = join(dir, 'work');
  mkdirSync(workDir);
  copyFileSync(file, join(workDir, 'stdout'));
  const script = join(import.meta.dirname, 'agents-parsing-child.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, who, name, workDir], {
    encoding: 'utf8',
  });
  rmSync(workDir, { recursive: true });
  if (status !== 0) throw new Error(`${who} ${name} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as Seen;
}

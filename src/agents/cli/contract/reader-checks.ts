/** A reader tells what a stream says, whatever else is in it, and never says success before the stream did. */
import assert from 'node:assert/strict';
import type { AgentEvent } from '../../../types/agent.ts';
import type { CliReport } from '../../../types/agent-cli.ts';
import { UsageSum } from '../../event-lines.ts';
import { cleanEvents, cleanReport } from '../../plugins/clean.ts';
import type { CliKind, CliLine } from '../kind.ts';
import type { ContractCheck, KindRecording, KindSamples } from './samples.ts';

const now = Date.UTC(2026, 10, 20, 17);

type Reading = {
  readonly events: readonly AgentEvent[];
  readonly report: CliReport;
  readonly hasEnded: boolean;
};

export function readerChecks(
  kind: Pick<CliKind, 'read'>,
  { recordings }: Pick<KindSamples, 'recordings'>,
): readonly ContractCheck[] {
  const successes = recordings.filter(({ expect }) => expect.terminal === 'success');
  return [
    {
      name: 'is tested with a success and with a failure',
      run: () => {
        assert.ok(successes.length > 0, 'there is no recording of a success');
        assert.ok(successes.length < recordings.length, 'there are recordings of successes only');
      },
    },
    ...recordings.map((recording) => ({
      name: `reads "${recording.name}" as what it is, each time`,
      run: () => {
        const first = read(kind, recording);
        checkMeaning(first, recording);
        assert.deepEqual(read(kind, recording), first);
      },
    })),
    {
      name: 'gives events and reports that are plain and bounded',
      run: () => {
        for (const recording of recordings) {
          const { events, report } = read(kind, recording);
          assert.deepEqual(cleanEvents(events), events);
          assert.deepEqual(cleanReport(report), report);
          for (const { payload } of events) {
            const { progress = 0 } = payload as { progress?: number };
            assert.ok(progress >= 0 && progress <= 100, `progress is ${progress}`);
          }
        }
      },
    },
    {
      name: 'counts what was used once: its events together are its report',
      run: () => {
        for (const recording of recordings) {
          const { events, report } = read(kind, recording);
          const sum = new UsageSum();
          for (const event of events) sum.add(event);
          // Some are told only at the end.
          if (sum.usage !== undefined) assert.deepEqual(sum.usage, report.usage);
          if (sum.costUsd !== null) assert.ok(Math.abs(sum.costUsd - (report.costUsd ?? -1)) < 1e-9);
        }
      },
    },
    {
      name: 'says no success for a stream that was cut off before its end',
      run: () => {
        for (const recording of successes) {
          const lines = rawLines(recording);
          const last = lines.length - 1;
          for (let count = 0; count <= last; count += Math.max(1, Math.floor(last / 50))) {
            const torn = `${lines.slice(0, count).join('\n')}\n${(lines[count] ?? '').slice(0, 20)}`;
            const { report, hasEnded } = read(kind, { ...recording, stdout: torn });
            assert.ok(
              report.terminal !== 'success' || hasEnded,
              `success after ${count} of ${lines.length} lines`,
            );
          }
          const none = read(kind, { ...recording, stdout: '' });
          assert.equal(none.report.terminal, 'none');
          assert.equal(none.hasEnded, false);
        }
      },
    },
    {
      name: 'passes over what it does not know, banners and lines that are too long',
      run: () => {
        const noise: readonly CliLine[] = [
          { kind: 'json', value: { type: 'an_event_of_next_year', data: { text: 'success' } } },
          { kind: 'json', value: {} },
          { kind: 'text', text: 'A new version is available! {"type":' },
          { kind: 'oversized', bytes: 1e9 },
        ];
        for (const recording of recordings) {
          const plain = read(kind, recording);
          const noisy = readLines(kind, recording, (line) => [...noise, line, ...noise]);
          assert.deepEqual(noisy.report, plain.report);
          assert.equal(noisy.hasEnded, plain.hasEnded);
        }
      },
    },
    {
      name: 'does not throw, whatever the fields of an event hold',
      run: () => {
        for (const recording of recordings)
          for (const line of linesOf(recording)) {
            if (line.kind !== 'json') continue;
            for (const value of spoiled(line.value)) {
              const reader = kind.read();
              cleanEvents(reader.line({ kind: 'json', value }));
              cleanReport(reader.end(endOf(recording)));
            }
          }
      },
    },
    {
      name: 'takes words of an answer for no fault and no denial',
      run: () => {
        const said = recordings.flatMap((recording) => {
          const { faults, denials } = read(kind, recording).report;
          return [recording.stderr ?? '', ...[...faults, ...denials].map(({ message }) => message)];
        });
        for (const recording of successes) {
          const { text } = recording.expect;
          if (!text || recording.expect.denials || !recording.stdout.includes(JSON.stringify(text))) continue;
          for (const words of new Set(said)) {
            if (words.trim() === '') continue;
            const stdout = recording.stdout.replaceAll(JSON.stringify(text), JSON.stringify(words.trim()));
            const { report } = read(kind, { ...recording, stdout });
            assert.equal(report.terminal, 'success', `an answer that says: ${words}`);
            assert.deepEqual([report.faults, report.denials], [[], []], `an answer that says: ${words}`);
          }
        }
      },
    },
    {
      name: 'reads several streams at once, each by itself',
      run: () => {
        const [first, second] = [recordings[0], recordings.at(-1)];
        if (!first || !second) return;
        const readers = [first, second].map((recording) => ({
          ...{ recording, reader: kind.read(), lines: linesOf(recording) },
        }));
        const most = Math.max(...readers.map(({ lines }) => lines.length));
        for (let at = 0; at < most; at += 1)
          for (const { reader, lines } of readers) if (lines[at]) reader.line(lines[at] as CliLine);
        for (const { reader, recording } of readers)
          assert.deepEqual(reader.end(endOf(recording)), read(kind, recording).report);
      },
    },
  ];
}

function checkMeaning({ report, hasEnded, events }: Reading, { expect, exitCode }: KindRecording): void {
  assert.equal(report.terminal, expect.terminal);
  if (expect.text !== undefined) assert.equal(report.text, expect.text);
  if (expect.fault !== undefined) assert.equal(report.faults[0]?.class ?? null, expect.fault);
  if (expect.denials !== undefined) assert.equal(report.denials.length, expect.denials);
  if (expect.usage !== undefined) assert.deepEqual(report.usage ?? null, expect.usage);
  if (expect.costUsd === null || expect.costUsd === undefined)
    assert.ok(expect.costUsd === undefined || report.costUsd === null, `it costs ${report.costUsd}`);
  else assert.ok(Math.abs((report.costUsd ?? -1) - expect.costUsd) < 1e-9, `it costs ${report.costUsd}`);
  if (expect.terminal !== 'success') return;
  assert.deepEqual(report.faults, [], 'a success has faults');
  assert.ok(hasEnded, 'it has ended, and `hasEnded` does not say so');
  assert.ok(
    exitCode === undefined || exitCode === 0 || report.denials.length > 0,
    'a success with another exit code than 0',
  );
  assert.ok(
    events.some(({ payload }) => payload.final === true),
    'no event says that it is the last word (`final`)',
  );
}

export function read(kind: Pick<CliKind, 'read'>, recording: KindRecording): Reading {
  return readLines(kind, recording, (line) => [line]);
}

function readLines(
  kind: Pick<CliKind, 'read'>,
  recording: KindRecording,
  around: (line: CliLine) => readonly CliLine[],
): Reading {
  const reader = kind.read();
  const events = linesOf(recording)
    .flatMap(around)
    .flatMap((line) => [...reader.line(line)]);
  const { hasEnded } = reader;
  return { events, hasEnded, report: reader.end(endOf(recording)) };
}

function endOf({ stderr = '', exitCode, signal, lastMessage }: KindRecording) {
  return {
    ...{ stderr, now },
    ...(exitCode !== undefined && { exitCode }),
    ...(signal !== undefined && { signal }),
    ...(lastMessage !== undefined && { lastMessage }),
  };
}

function rawLines({ stdout }: Pick<KindRecording, 'stdout'>): readonly string[] {
  return stdout.split('\n').filter((line) => line.trim() !== '');
}

function linesOf(recording: Pick<KindRecording, 'stdout'>): readonly CliLine[] {
  return rawLines(recording).map((line) => {
    try {
      const value: unknown = JSON.parse(line);
      if (typeof value === 'object' && value !== null && !Array.isArray(value))
        return { kind: 'json', value: value as Record<string, unknown> };
    } catch {
      // No JSON: a banner.
    }
    return { kind: 'text', text: line };
  });
}

const odd: readonly unknown[] = [null, 0, -1.5, true, '', 'x', [], {}, [null], [[{}]], { type: 'x' }];

/** The event with each of its fields, three levels deep, replaced by something else. */
function* spoiled(value: Readonly<Record<string, unknown>>, depth = 0): Iterable<Record<string, unknown>> {
  for (const key of Object.keys(value)) {
    for (const other of odd) yield { ...value, [key]: other };
    const inner = value[key];
    if (depth < 2 && typeof inner === 'object' && inner !== null && !Array.isArray(inner))
      for (const changed of spoiled(inner as Record<string, unknown>, depth + 1))
        yield { ...value, [key]: changed };
  }
}

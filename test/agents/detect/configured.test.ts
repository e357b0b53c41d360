/** What is registered already, under whatever name. */
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { agentsOf } from '../../../src/agents/detect/configured.ts';
import { detectAgents } from '../../../src/agents/detect/detect.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { Machine } from './programs.ts';

async function registered(machine: Machine, agents: string): Promise<Record<string, readonly string[]>> {
  const file = machine.write('config/orchestrator.yaml', `version: 1\nagents:\n${agents}`);
  const env = { PATH: machine.bin, HOME: machine.env.HOME };
  const { config } = await loadConfig(file, { searchPath: machine.bin });
  const detections = await detectAgents({ env, projectDir: machine.dir });
  const rows = detections.map((detection) => [detection.id, agentsOf(detection, config, env)] as const);
  return Object.fromEntries(rows.filter(([, names]) => names.length > 0));
}

test('an agent CLI: by its kind, by another name or a link to the same program; another installation is another', async () => {
  const machine = new Machine();
  machine.answer('codex', '0.999.0');
  machine.answer('other/codex', '0.999.0');
  symlinkSync(join(machine.bin, 'codex'), join(machine.bin, 'mycodex'));
  const found = await registered(
    machine,
    [
      '  a: { kind: codex }',
      '  b: { kind: codex, program: mycodex }',
      '  c: { kind: codex, program: bin/codex }',
      '  d: { kind: codex, program: bin/other/codex }',
      '  e: { kind: gemini }',
      '  codex: { kind: command, command: [codex, exec] }',
    ].join('\n'),
  );
  // What is not installed is registered where its kind is written, too.
  expect(found).toEqual({ codex: ['a', 'b', 'c'], gemini: ['e'] });
});

test('a tool: by its program, by the use that is made of it, by the name of its entry', async () => {
  const machine = new Machine();
  machine.answer('ffprobe', '7.1');
  machine.answer('ffmpeg', '7.1');
  machine.answer('pandoc', '3.5', ['--sandbox']);
  const found = await registered(
    machine,
    [
      '  probe: { kind: command, command: [bin/ffprobe, x] }',
      '  cut: { kind: command, command: [ffmpeg, -ss, "1", x] }',
      `  sound: { kind: command, command: [sh, -c, 'exec ffmpeg -i "$SLUICE_FILE" -vn out.wav'] }`,
      '  document_text: { kind: http, url: "http://127.0.0.1:1/" }',
    ].join('\n'),
  );
  expect(found).toEqual({ ffprobe: ['probe'], ffmpeg: ['sound'], pandoc: ['document_text'] });
});

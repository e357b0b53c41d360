/** `agents detect` as people call it, on machines made of shell scripts: what it says, and what it does to a configuration. */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { Project } from './sluice.ts';

const configured = `# ours
version: 1   # yes

routing_rules:
  - { name: all, pattern: "**", agent: inspect }   # every file

agents:
    inspect: { kind: builtin }      # facts
    # reviews what lands
    reviewer:
        kind: gemini
        budget: { usd_per_day: 5 }

output_settings: { log_level: INFO }
`;

interface Found {
  readonly agents: readonly {
    readonly id: string;
    readonly state: string;
    readonly version: string | null;
    readonly login: { readonly state: string } | null;
    readonly registered_as: readonly string[];
    readonly proposal: { readonly name: string } | null;
  }[];
  readonly written: readonly string[];
  readonly config: string | null;
}

/** A machine with codex, gemini and ffprobe, and a project on it. */
function machine(config?: string): Project & { put(name: string, body: string): void } {
  const project = new Project(config === undefined ? {} : { 'config/orchestrator.yaml': config });
  const put = (name: string, body: string): void => {
    project.write(`bin/${name}`, `#!/bin/sh\n${body}\n`);
    chmodSync(join(project.dir, 'bin', name), 0o755);
  };
  put('codex', 'case "$*" in *help*) echo "  --json" ;; *) echo "codex-cli 0.999.0" ;; esac');
  put('gemini', 'case "$*" in *help*) echo "  --model" ;; *) echo "0.999.0" ;; esac');
  put('ffprobe', 'echo "ffprobe version 7.1"');
  mkdirSync(join(project.dir, 'home'));
  project.env = {
    PATH: join(project.dir, 'bin'),
    HOME: join(project.dir, 'home'),
    CODEX_API_KEY: 'sk-999-secret',
  };
  return Object.assign(project, { put });
}

const read = (project: Project): string =>
  readFileSync(join(project.dir, 'config/orchestrator.yaml'), 'utf8');

test('what is there is shown with its state, and proposed; nothing is changed', async () => {
  const project = machine(configured);
  const { code, stdout, stderr } = await project.call('agents', 'detect');
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^codex +found +0\.999\.0 +CODEX_API_KEY.* +codex \(new\)/m);
  expect(stdout).toMatch(/^gemini +not logged in +0\.999\.0 +no +reviewer /m);
  expect(stdout).toMatch(/^ffprobe +found +7\.1 +media_facts \(new\)/m);
  expect(stdout).toMatch(/^gemini: not logged in.*\n {2}fix: Set GEMINI_API_KEY/m);
  expect(stdout).toMatch(/^not installed\n/m);
  expect(stdout).toMatch(/^ {2}pandoc +sudo apt install pandoc/m);
  expect(stdout).not.toContain('secret');
  expect(stderr).toContain('sluice agents detect --write');
  // What is proposed can be put into a file as it is printed.
  const yaml = parse(stdout.slice(stdout.indexOf('\nagents:\n')));
  expect(Object.keys(yaml.agents)).toEqual(['codex', 'media_facts']);
  expect(read(project)).toBe(configured);
  expect(readdirSync(join(project.dir, 'home')).filter((name) => name !== '.cache')).toEqual([]);
});

test('--write adds what is missing and touches nothing else; again, it does nothing', async () => {
  const project = machine(configured);
  const { code, stdout, stderr } = await project.call('agents', 'detect', '--write');
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/changed {2}\S+orchestrator\.yaml: agents codex, media_facts\n/);
  const text = read(project);
  const [before, after] = text.split('        budget: { usd_per_day: 5 }\n');
  expect(configured.startsWith(before as string)).toBe(true);
  expect(after?.endsWith('\n\noutput_settings: { log_level: INFO }\n')).toBe(true);
  expect(text).toMatch(/^ {4}# Codex CLI, found as \/\S+\/bin\/codex\n {4}codex:\n/m);
  expect(parse(text).agents.media_facts.command.at(-1)).toBe('${{ file.path }}');
  const checked = await project.call('check');
  expect(checked.code, checked.stderr).toBe(0);

  const again = await project.call('agents', 'detect', '--write');
  expect(again.code).toBe(0);
  expect(again.stdout).not.toContain('(new)');
  expect(again.stderr).toContain('Nothing to add');
  expect(read(project)).toBe(text);
  expect(readdirSync(join(project.dir, 'config'))).toEqual(['orchestrator.yaml']);

  // An entry that somebody renamed is still that program's.
  project.write('config/orchestrator.yaml', text.replace('    codex:\n', '    writer:\n'));
  const renamed = await project.json<Found>('agents', 'detect', '--write');
  expect(renamed.agents.find(({ id }) => id === 'codex')?.registered_as).toEqual(['writer']);
  expect(renamed.written).toEqual([]);
});

test('JSON: each program with its state, its agents and its proposal', async () => {
  const project = machine(configured);
  project.put('pandoc', 'echo "it is broken" >&2; exit 3');
  const found = await project.json<Found>('agents', 'detect', '--write');
  const by = (id: string) => found.agents.find((one) => one.id === id);
  expect(by('codex')).toMatchObject({
    ...{ type: 'agent_cli', state: 'found', version: '0.999.0', program: join(project.dir, 'bin/codex') },
    ...{ login: { state: 'logged_in' }, registered_as: [], proposal: { name: 'codex' } },
  });
  expect(by('gemini')).toMatchObject({ registered_as: ['reviewer'], proposal: null });
  expect(by('docker')).toMatchObject({ state: 'missing', install: expect.any(String), login: null });
  expect(by('pandoc')).toMatchObject({
    ...{ type: 'tool', state: 'unusable', fix: expect.any(String) },
    problem: expect.stringContaining('exits with 3: it is broken'),
  });
  expect(found.written).toEqual(['codex', 'media_facts']);
  expect(found.config).toBe(join(project.dir, 'config/orchestrator.yaml'));
});

test('a name that is taken stays, and the new entry gets another', async () => {
  const taken = 'version: 1\nagents:\n  codex: { kind: http, url: "http://127.0.0.1:1/" }\n';
  const project = machine(taken);
  const { written } = await project.json<Found>('agents', 'detect', '--write');
  expect(written).toEqual(['codex-2', 'gemini', 'media_facts']);
  expect(read(project).startsWith(taken)).toBe(true);
  const again = await project.json<Found>('agents', 'detect', '--write');
  expect(again.written).toEqual([]);
  expect(again.agents.find(({ id }) => id === 'codex')?.registered_as).toEqual(['codex-2']);
});

test('a rule that chooses by capabilities is told of', async () => {
  const project = machine(
    'version: 1\nrouting_rules:\n  - { name: reviews, pattern: "**", capabilities: [code_review] }\nagents:\n  own: { kind: gemini, capabilities: [code_review] }\n',
  );
  const { code, stdout } = await project.call('agents', 'detect', '--write');
  expect(code).toBe(0);
  expect(stdout).toContain('routing_rules.reviews chooses among them, too');
});

test('JSON configurations, links, sections that are not there yet', async () => {
  const project = machine();
  project.write('config/orchestrator.json', '{ "version": 1 }');
  expect((await project.json<Found>('agents', 'detect', '--write')).written).toHaveLength(3);
  const json = JSON.parse(readFileSync(join(project.dir, 'config/orchestrator.json'), 'utf8'));
  expect(Object.keys(json.agents)).toEqual(['codex', 'gemini', 'media_facts']);

  const linked = machine();
  linked.write('elsewhere/real.yaml', 'version: 1');
  chmodSync(join(linked.dir, 'elsewhere/real.yaml'), 0o640);
  mkdirSync(join(linked.dir, 'config'));
  symlinkSync('../elsewhere/real.yaml', join(linked.dir, 'config/orchestrator.yaml'));
  expect((await linked.json<Found>('agents', 'detect', '--write')).written).toHaveLength(3);
  expect(lstatSync(join(linked.dir, 'config/orchestrator.yaml')).isSymbolicLink()).toBe(true);
  expect(statSync(join(linked.dir, 'elsewhere/real.yaml')).mode & 0o777).toBe(0o640);
  expect(Object.keys(parse(read(linked)).agents)).toEqual(['codex', 'gemini', 'media_facts']);
  expect(readdirSync(join(linked.dir, 'elsewhere'))).toEqual(['real.yaml']);
});

test('`agents: auto` registers by itself: --write has nothing to do', async () => {
  const auto = 'version: 1\nagents: auto   # what is there\n';
  const project = machine(auto);
  const { code, stdout, stderr } = await project.call('agents', 'detect', '--write');
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^codex +found .* codex /m);
  expect(stdout).not.toContain('(new)');
  expect(stderr).toContain('`agents: auto`');
  expect(stderr).toContain('Nothing was written');
  expect(read(project)).toBe(auto);
  const { agents } = await project.json<{ agents: Record<string, { kind: string }> }>('config', 'show');
  expect(Object.keys(agents).sort()).toEqual(['codex', 'gemini', 'inspect', 'media_facts']);
});

test('no configuration: it is shown all the same; --write says what is missing', async () => {
  const project = machine();
  const shown = await project.json<Found>('agents', 'detect');
  expect(shown.config).toBeNull();
  expect(shown.agents.filter(({ proposal }) => proposal !== null).map(({ id }) => id)).toEqual([
    'codex',
    'gemini',
    'ffprobe',
  ]);
  const { code, stderr } = await project.call('agents', 'detect', '--write');
  expect(code).toBe(2);
  expect(stderr).toContain('sluice init');
  expect(readdirSync(project.dir).sort()).toEqual(['bin', 'home']);
});

test('a configuration with errors: shown with a warning, never written', async () => {
  const wrong = 'version: 1\nagents:\n  x: { kind: clode }\n';
  const project = machine(wrong);
  const shown = await project.call('agents', 'detect');
  expect(shown.code).toBe(0);
  expect(shown.stderr).toContain('sluice check');
  expect(shown.stdout).toMatch(/codex \(new\)/);
  const { code, stdout, stderr } = await project.call('agents', 'detect', '--write');
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain('clode');
  expect(read(project)).toBe(wrong);
});

test('a file that is read-only, or written in another way, stays; what to add is said', async () => {
  const project = machine(configured);
  chmodSync(join(project.dir, 'config/orchestrator.yaml'), 0o444);
  const locked = await project.call('agents', 'detect', '--write');
  expect(locked.code).toBe(1);
  expect(locked.stderr).toMatch(/read-only[\s\S]*fix: Add this yourself:[\s\S]*kind: codex/);
  expect(read(project)).toBe(configured);
  expect(readdirSync(join(project.dir, 'config'))).toEqual(['orchestrator.yaml']);

  const flow = '{ version: 1, watch: [{ path: . }] }\n';
  const other = machine(flow);
  const refused = await other.call('agents', 'detect', '--write');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(/nothing can be added to[\s\S]*kind: codex/);
  expect(read(other)).toBe(flow);
});

test('a file that changes while the programs are asked is not overwritten', async () => {
  const project = machine(configured);
  project.put(
    'gemini',
    `mv ${project.dir}/other ${project.dir}/config/orchestrator.yaml 2>/dev/null; echo 0.999.0`,
  );
  project.env.PATH = `${project.env.PATH}:/usr/bin:/bin`;
  project.write('other', `${configured}# by somebody else\n`);
  const { code, stderr } = await project.call('agents', 'detect', '--write');
  expect(code, stderr).toBe(1);
  expect(stderr).toContain('changed by somebody else meanwhile');
  expect(read(project)).toBe(`${configured}# by somebody else\n`);
  expect(readdirSync(join(project.dir, 'config'))).toEqual(['orchestrator.yaml']);
});

test('nothing installed: what to install, and how to log in', async () => {
  const project = machine(configured);
  rmSync(join(project.dir, 'bin'), { recursive: true });
  const { code, stdout, stderr } = await project.call('agents', 'detect', '--write');
  expect(code, stderr).toBe(0);
  expect(stdout).toContain('No agent CLI is installed');
  for (const line of ['npm install -g @openai/codex', 'npm install -g @google/gemini-cli', 'codex login'])
    expect(stdout).toContain(line);
  expect(stderr).toContain('Nothing to add');
});

test('Ctrl-C while a program hangs ends it and the command', async () => {
  const project = machine(configured);
  project.put(
    'codex',
    `echo $$ > ${project.dir}/pid.new; mv ${project.dir}/pid.new ${project.dir}/pid; sleep 600`,
  );
  project.env.PATH = `${project.env.PATH}:/usr/bin:/bin`;
  const child = project.spawn('agents', 'detect');
  const end = new Promise<number | null>((done) => child.once('exit', done));
  const pid = await waitFor(() => Number(readFileSync(join(project.dir, 'pid'), 'utf8')));
  child.kill('SIGINT');
  expect(await end).not.toBe(0);
  await waitFor(() => {
    if (isAlive(pid)) throw new Error(`${pid} lives`);
  });
});

async function waitFor<T>(ask: () => T): Promise<T> {
  for (let left = 3_000; ; left--) {
    try {
      return ask();
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((done) => setTimeout(done, 20));
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.[0] !== 'Z';
  } catch {
    return false;
  }
}

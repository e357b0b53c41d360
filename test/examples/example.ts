/** An example as somebody has it who copied its folder: run by the built program, its results read from disk. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Project } from '../cli/sluice.ts';

export const examples = join(import.meta.dirname, '../../examples');

export class Example extends Project {
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
    cpSync(join(examples, name), this.dir, { recursive: true });
  }

  /** Runs the workflow to its end, whatever that is. */
  async run(...inputs: string[]): Promise<Run> {
    const words = inputs.flatMap((input) => ['--input', input]);
    const { code, stdout, stderr } = await this.call('workflow', 'run', this.name, '--json', ...words);
    if (!stdout.startsWith('{')) throw new Error(`${this.name} exited with ${code}: ${stderr}${stdout}`);
    return new Run(this, code, JSON.parse(stdout) as RunJson);
  }

  override write(path: string, content: string | Buffer): void {
    const file = join(this.dir, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }

  has(path: string): boolean {
    return existsSync(join(this.dir, path));
  }

  read(path: string): string {
    return readFileSync(join(this.dir, path), 'utf8');
  }

  remove(path: string): void {
    rmSync(join(this.dir, path), { recursive: true });
  }

  list(path: string): readonly string[] {
    return this.has(path) ? readdirSync(join(this.dir, path)).toSorted() : [];
  }
}

interface RunJson {
  readonly run_id: string;
  readonly workflow: string;
  readonly state: string;
  readonly warnings: readonly string[];
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly steps: readonly {
    readonly name: string;
    readonly state: string;
    readonly outputs?: Readonly<Record<string, unknown>>;
    readonly items?: { readonly counts: Readonly<Record<string, number>> };
  }[];
}

export class Run {
  readonly code: number | null;
  readonly json: RunJson;
  readonly dir: string;

  constructor(example: Example, code: number | null, json: RunJson) {
    this.code = code;
    this.json = json;
    this.dir = join(example.dir, 'processed/workflows', json.workflow, json.run_id);
  }

  /** Of each step. */
  get states(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.json.steps.map(({ name, state }) => [name, state]));
  }

  items(step: string): Readonly<Record<string, number>> {
    return this.json.steps.find(({ name }) => name === step)?.items?.counts ?? {};
  }

  /** A file that a step made. */
  output(step: string, name: string): string {
    return readFileSync(join(this.dir, 'steps', step, 'outputs', name), 'utf8');
  }

  get hasReport(): boolean {
    return ['report.html', 'report.md', 'report.json'].every((name) => existsSync(join(this.dir, name)));
  }
}

/** What a page leads to and is not there. */
export function deadLinks(page: string): readonly string[] {
  const links = [...readFileSync(page, 'utf8').matchAll(/(?:src|href)="([^"#:]+)"/g)];
  return links.flatMap(([, link = '']) =>
    existsSync(
      join(dirname(page), decodeURIComponent(link.replaceAll('&amp;', '&').replaceAll('&#39;', "'"))),
    )
      ? []
      : [link],
  );
}

export function found(dir: string, pattern: string): readonly string[] {
  return globSync(pattern, { cwd: dir }).toSorted();
}

/** Why a test cannot be run here; undefined: it can. */
export function lacks(...programs: string[]): string | undefined {
  const missing = programs.filter((program) => spawnSync(program, ['--version']).status !== 0);
  return missing.length === 0 ? undefined : `needs ${missing.join(', ')}, which this machine lacks`;
}

export function hasModule(name: string): boolean {
  return spawnSync('python3', ['-c', `import ${name}`]).status === 0;
}

/**
 * A project with one real agent CLI, a home of its own, and a stub of its model service on loopback. `npm run test:clis`
 * says where the CLI is; without it the scenarios say that they are skipped.
 */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Receipt } from '../../src/types/receipt.ts';
import { type Ended, ended, Project } from '../cli/sluice.ts';
import { startStub } from './stub-models.mjs';

const clis = JSON.parse(process.env.SLUICE_CLIS ?? '{}') as Readonly<Record<string, string>>;

export type CliName = 'claude' | 'codex' | 'gemini' | 'opencode' | 'copilot';

/** Folder that holds the program; undefined: it is not here. */
export function binOf(name: CliName): string | undefined {
  return clis[name];
}

export interface Turn {
  readonly [key: string]: unknown;
}

export interface Rig {
  readonly project: Project;
  /** Its home: log-in files may be put there. Absolute. */
  readonly home: string;
  /** Writes the configuration: the agent `it` of the kind with these keys, and rules for all files. */
  configure(o: {
    readonly agent?: Readonly<Record<string, unknown>>;
    readonly rule?: Readonly<Record<string, unknown>>;
    readonly more?: Readonly<Record<string, unknown>>;
  }): void;
  /** The stub plays this from now on. */
  play(scenario: string | readonly Turn[]): void;
  /** `sluice …` in the project, with the CLI on PATH. */
  call(...args: string[]): Promise<Ended>;
  spawn(...args: string[]): ReturnType<Project['spawn']>;
  /** Drops files into `inbox/` and processes what is there. */
  run(files: Readonly<Record<string, string>>): Promise<Ended>;
  receipt(path: string): Receipt;
  result(path: string): string;
  /** Requests that the model service got. */
  requests(): readonly { readonly api: string; readonly scenario: string; readonly path: string }[];
  /** Body of the last one. */
  lastRequest(): Promise<string>;
}

/** @param how How this kind is pointed at the stub: what of the environment, and files in its home. */
export async function openRig(name: CliName): Promise<Rig> {
  const bin = binOf(name);
  if (bin === undefined) throw new Error(`${name} is not installed; run \`npm run test:clis\``);
  const project = new Project();
  const stub = await startStub();
  onTestFinished(() => stub.close());
  // Beside the project: what is below /tmp is hidden in a sandbox, and an agent's home is shown by itself.
  const home = realpathSync(mkdtempSync(join(project.dir, '..', 'sluice-home-')));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  let scenario = 'text';
  let plays = 0;
  const before = new Map<string, string | undefined>();
  const setEnv = (key: string, value: string): void => {
    if (!before.has(key)) before.set(key, process.env[key]);
    process.env[key] = value;
  };
  onTestFinished(() => {
    for (const [key, value] of before)
      if (value === undefined) delete process.env[key];
      else process.env[key] = value;
  });
  const point = (): void => {
    setEnv('HOME', home);
    setEnv('PATH', `${bin}:${before.get('PATH') ?? process.env.PATH}`);
    for (const [key, value] of Object.entries(pointers[name](stub.url, scenario, home))) setEnv(key, value);
  };
  return {
    project,
    home,
    configure({ agent = {}, rule = {}, more = {} }) {
      const config = {
        routing_rules: [{ name: 'all', pattern: '**/*', agent: 'it', prompt: 'Do the task.', ...rule }],
        agents: { it: { kind: name, ...defaults[name], ...agent } },
        daemon: { min_free_disk: '1MiB' },
        ...more,
      };
      project.write('config/orchestrator.yaml', JSON.stringify(config));
    },
    play(what) {
      plays += 1;
      if (typeof what === 'string') scenario = what;
      else {
        scenario = `own${plays}`;
        stub.addScenario(scenario, what as object[]);
      }
    },
    async call(...args) {
      point();
      return ended(project.spawn(...args));
    },
    spawn(...args) {
      point();
      return project.spawn(...args);
    },
    async run(files) {
      mkdirSync(join(project.dir, 'inbox'), { recursive: true });
      for (const [path, text] of Object.entries(files)) project.write(join('inbox', path), text);
      point();
      return ended(project.spawn('run'));
    },
    receipt: (path) =>
      JSON.parse(
        readFileSync(join(project.dir, 'processed/files/inbox', path, 'receipt.json'), 'utf8'),
      ) as Receipt,
    result: (path) => readFileSync(join(project.dir, 'processed/files/inbox', path, 'result.md'), 'utf8'),
    requests: () => stub.requests(),
    lastRequest: async () => (await fetch(`${stub.url}/__stub/last`)).text(),
  };
}

const defaults: Readonly<Record<CliName, Readonly<Record<string, unknown>>>> = {
  claude: {},
  codex: { env: ['STUB_API_KEY'] },
  gemini: { model: 'gemini-2.5-flash' },
  opencode: { model: 'stub/stub-model', env: ['OPENCODE_CONFIG_CONTENT'] },
  copilot: {},
};

/** The variables, and files of the home, by which each of them finds the stub. */
const pointers: Readonly<
  Record<CliName, (url: string, scenario: string, home: string) => Readonly<Record<string, string>>>
> = {
  claude: (url, scenario) => ({
    ANTHROPIC_BASE_URL: `${url}/s/${scenario}`,
    ANTHROPIC_API_KEY: 'stub-key-0000',
  }),
  codex(url, scenario, home) {
    mkdirSync(join(home, '.codex'), { recursive: true });
    const provider = [
      'model_provider = "stub"',
      '[model_providers.stub]',
      'name = "stub"',
      `base_url = "${url}/s/${scenario}/v1"`,
      'env_key = "STUB_API_KEY"',
      'wire_api = "responses"',
      'request_max_retries = 1',
      'stream_max_retries = 1',
    ];
    writeFileSync(join(home, '.codex/config.toml'), `${provider.join('\n')}\n`);
    return { STUB_API_KEY: 'stub-key-0000' };
  },
  gemini: (url, scenario) => ({
    GOOGLE_GEMINI_BASE_URL: `${url}/s/${scenario}`,
    GEMINI_API_KEY: 'stub-key-0000',
  }),
  opencode: (url, scenario) => ({
    OPENCODE_CONFIG_CONTENT: JSON.stringify({
      provider: {
        stub: {
          npm: '@ai-sdk/openai-compatible',
          name: 'stub',
          options: { baseURL: `${url}/s/${scenario}/v1`, apiKey: 'stub-key-0000' },
          models: { 'stub-model': { name: 'stub-model' } },
        },
      },
    }),
  }),
  copilot: (url, scenario) => ({
    COPILOT_OFFLINE: 'true',
    COPILOT_PROVIDER_BASE_URL: `${url}/s/${scenario}/v1`,
    COPILOT_PROVIDER_API_KEY: 'stub-key-0000',
    COPILOT_MODEL: 'gpt-4.1',
  }),
};

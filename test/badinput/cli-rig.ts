/** Projects whose agents are CLIs, played by fakes: a home of their own, and no key of the one who runs the tests. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Fake, type FakeKind, installFake } from '../agents/cli/fakes/fakes.ts';
import { makeProject, type Project, type ProjectOptions } from '../daemon/project.ts';

export interface CliProject extends Project {
  readonly home: string;
  /** The program of agents that say `program: ./fakes/<kind>`; it does nothing until it is told. */
  fake(kind: FakeKind): Fake;
}

/** @param config As of `makeProject`; a function is told of the folder. */
export function makeCliProject(config: string, { env = {}, ...o }: ProjectOptions = {}): CliProject {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-home-')));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const own = Object.fromEntries(
    Object.keys(process.env)
      .filter((name) => /^(ANTHROPIC|CLAUDE|CODEX|OPENAI|GEMINI|GOOGLE)_/.test(name))
      .map((name) => [name, undefined]),
  );
  const project = makeProject(config, { ...o, env: { ...own, HOME: home, ...env } });
  mkdirSync(join(project.dir, 'fakes'));
  const fakes = new Map<FakeKind, Fake>();
  return {
    ...project,
    home,
    fake(kind) {
      const fake = fakes.get(kind) ?? installFake(join(project.dir, 'fakes'), kind);
      fakes.set(kind, fake);
      return fake;
    },
  };
}

/** Keys of an agent that is the fake of this kind, without a sandbox. */
export function fakeAgent(kind: FakeKind, more = ''): string {
  return `{ kind: ${kind}, program: ./fakes/${kind}, sandbox: { mode: off, reason: a test }${more === '' ? '' : `, ${more}`} }`;
}

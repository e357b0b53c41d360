/**
 * The same three scenarios for each agent CLI: in folders full of traps nothing springs, confined or not, though the person
 * trusts them; the CLI by itself falls into what the other two left untouched. And its key stays where it belongs.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { argumentsWith } from '../torture/marks.ts';
import { type CliName, openRig, type Rig, type Turn } from './rig.ts';
import { filesWith, key } from './scenes.ts';
import { type Bait, bait, layTraps } from './traps.ts';

export interface Hostile {
  /** Path → content, of each folder. */
  readonly files: (bait: Bait) => Readonly<Record<string, string>>;
  /** What the model does there. */
  readonly turns: readonly Turn[];
  /** The agent where it is not confined; default: it may do everything. */
  readonly plainAgent?: Readonly<Record<string, unknown>>;
  /** What the person has told the CLI before: that these folders are to be trusted. */
  readonly person?: (rig: Rig) => void;
  /** By itself, with no more than it takes. */
  readonly bare: {
    readonly args: readonly string[];
    readonly stdin?: string;
    readonly env?: NodeJS.ProcessEnv;
    /** What it passes over, today: texts and commands. */
    readonly passesOver?: readonly string[];
    /** What of the repository below it springs by the git that it calls. */
    readonly git?: readonly string[];
  };
}

const all = { permissions: { mode: 'all' } };
const notConfined = { mode: 'off', reason: 'the CLI itself is what is tested' };
export function describeHostile(
  name: CliName,
  { files, turns, plainAgent = all, person, bare }: Hostile,
): void {
  describe('what lies in its folders, above and below them', () => {
    test.each([
      ['confined', all],
      ['not confined', { ...plainAgent, sandbox: notConfined }],
    ])('decides nothing, and its key is nowhere to be seen: %s', async (_, agent) => {
      const rig = await openRig(name);
      const traps = layTraps(rig, files);
      person?.(rig);
      rig.configure({ agent, rule: { pattern: '**/a.md' } });
      const shown: string[] = [];
      rig.play(() => {
        shown.push(...argumentsWith(key));
        return turns;
      });
      await rig.run({ [bait]: '# Title\n' });
      const receipt = rig.receipt(bait);
      expect(receipt, JSON.stringify(receipt)).toMatchObject({ state: 'succeeded' });
      expect(rig.requests().length).toBeGreaterThan(turns.length - 1);
      expect(traps.toldIn(await rig.lastRequest())).toEqual([]);
      expect(traps.sprung()).toEqual([]);
      expect(shown).toEqual([]);
      expect(filesWith(join(rig.project.dir, '.sluice'), key)).toEqual([]);
      expect(filesWith(join(rig.project.dir, 'processed'), key)).toEqual([]);
    });

    test('would have worked: by itself it falls into it', async () => {
      const rig = await openRig(name);
      const traps = layTraps(rig, files);
      person?.(rig);
      rig.play(turns);
      rig.drop({ [bait]: '# Title\n' });
      const { passesOver = [], git = [], args, ...o } = bare;
      const { stderr } = await rig.bare(args, o);
      const left = (all: readonly string[]) => all.filter((one) => !passesOver.includes(one));
      expect(traps.toldIn(await rig.lastRequest()), stderr).toEqual(left(traps.texts));
      expect(traps.sprung()).toEqual([...left(traps.commands), ...git].sort());
      execFileSync('git', ['status'], { cwd: join(rig.project.dir, 'inbox'), stdio: 'ignore' });
      expect(traps.sprung()).toEqual(expect.arrayContaining(['git-filter', 'git-fsmonitor']));
    });
  });
}

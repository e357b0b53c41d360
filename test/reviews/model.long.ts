/**
 * Any work, any answers of reviewers and people, deaths of the process and changes of the configuration, against a model of
 * what must hold: nothing counts without what its policy asks for, nobody is paid twice, and there is always a way on.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AgentCall } from '../../src/types/agent.ts';
import type { JobRecord } from '../../src/types/job.ts';
import type { ReviewRecord } from '../../src/types/review.ts';
import { House, type Started } from '../coordinator/reviewed-house.ts';
import { answer } from './rig.ts';

const names = ['one', 'two', 'three'] as const;
const finding = (severity: string) => ({ severity, text: 'It is 5.', place: null, evidence: null });
/** What a reviewer does, and what may be made of it. */
const says = {
  approved: [answer('approved'), 'approved'],
  minor: [answer('approved', finding('minor')), 'approved'],
  concern: [answer('concern', finding('major')), 'concern'],
  concerns: [`It is good.\n\`\`\`json\n${answer('concerns')}\n\`\`\``, 'concern'],
  blocker: [answer('blocker', finding('blocking')), 'blocker'],
  bare: [answer('blocker'), 'blocker'],
  contrary: [answer('approved', finding('blocking')), 'concern'],
  empty: ['', 'missing'],
  prose: ['approved', 'missing'],
  torn: ['{"verdict": "approved", "summary": "Fi', 'missing'],
  shape: [JSON.stringify({ verdict: ['approved'], summary: 'Fine.', findings: [] }), 'missing'],
  both: [`${answer('approved')}\n${answer('blocker', finding('blocking'))}`, 'missing'],
  quoted: [`${answer('approved')}\nThat is what the work wants me to say.`, 'missing'],
  crashes: [undefined, 'missing'],
} as const;
type Saying = keyof typeof says;

const policies = {
  four_rules: 'four_rules',
  votes: 'votes',
  own: '[{ if: blockers > 0, decision: stop }, { if: concerns >= 2 && round == 1, decision: pause }, { if: missing == 0, decision: continue }]',
} as const;

const terms = fc.record({
  reviewers: fc.integer({ min: 1, max: 3 }),
  quorum: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
  maxRounds: fc.integer({ min: 1, max: 3 }),
  policy: fc.constantFrom(...(Object.keys(policies) as (keyof typeof policies)[])),
  weights: fc.record({
    one: fc.constantFrom(0, 1, 2, 1000),
    two: fc.constantFrom(0, 1, 0.5),
    three: fc.constantFrom(0, 1),
  }),
});
type Terms = typeof terms extends fc.Arbitrary<infer T> ? T : never;

const plan = fc.record({
  /** What is in force from each start on. */
  terms: fc.array(terms, { minLength: 1, maxLength: 3 }),
  /** What the author does, in order; `same`: as before. */
  works: fc.array(fc.constantFrom('new', 'new', 'same', 'fails'), { minLength: 1, maxLength: 4 }),
  sayings: fc.array(
    fc.constantFrom<Saying>('approved', 'approved', 'blocker', ...(Object.keys(says) as Saying[])),
    {
      minLength: 4,
      maxLength: 12,
    },
  ),
  /** Cannot be asked. */
  away: fc.constantFrom([], [], [], ['two', 'three'], ['one', 'two', 'three']),
  people: fc.array(fc.constantFrom('answer', 'answer', 'release', 'restart', 'pause one'), { maxLength: 5 }),
  /** After so many writes to the ledger each process dies. */
  deaths: fc.array(fc.integer({ min: 3, max: 60 }), { maxLength: 2 }),
});

const sandbox = 'sandbox: { mode: off, reason: a test plays it }';
const configOf = ({ reviewers, quorum, maxRounds, policy, weights }: Terms): string => `version: 1
watch: [{ path: ./inbox }]
routing_rules: [{ name: all, pattern: "**", agent: author, review: true }]
agents:
  author: { kind: command, command: ["true"], fallback: [one], retry: { attempts: 1 }, capabilities: [code_review], ${sandbox} }
${names.map((name) => `  ${name}: { kind: command, command: ["true"], retry: { attempts: 1 }, capabilities: [code_review], ${sandbox} }`).join('\n')}
reviews: { on: [result], reviewers: ${reviewers}, ${quorum === undefined ? '' : `quorum: ${Math.min(quorum, reviewers)}, `}max_rounds: ${maxRounds}, policy: ${policies[policy]}, weights: ${JSON.stringify(weights)} }
concurrency_limits: { max_processes: 4, max_concurrent_files: 16 }
daemon: { min_free_disk: 1MiB }
`;

/** The policies once more, as they are told to people. */
function mayPass(
  { policy, quorum, reviewers }: Terms,
  verdicts: ReviewRecord['verdicts'],
  round: number,
): boolean {
  const weight = (which: string): number =>
    verdicts.filter(({ verdict }) => verdict === which).reduce((sum, one) => sum + one.weight, 0);
  const count = (which: string): number => verdicts.filter(({ verdict }) => verdict === which).length;
  const valid = verdicts.length - count('missing');
  if (
    valid <
    Math.max(1, quorum === undefined ? Math.floor(verdicts.length / 2) + 1 : Math.min(quorum, reviewers))
  )
    return false;
  if (policy === 'four_rules') return count('blocker') === 0 && weight('concern') < 2;
  if (policy === 'votes') return weight('approved') > weight('concern') + weight('blocker');
  return weight('blocker') === 0 && !(weight('concern') >= 2 && round === 1) && count('missing') === 0;
}

async function rest({ coordinator, ledger, died }: Started): Promise<JobRecord | 'died'> {
  const { promise, resolve } = Promise.withResolvers<JobRecord>();
  const isAuthors = ({ rule }: JobRecord): boolean => rule === 'all';
  const rests = (job: JobRecord): boolean =>
    isAuthors(job) && (job.state === 'held' || job.endedAt !== undefined);
  const stop = coordinator.events.subscribe((event) => {
    if ('job' in event && rests(event.job)) resolve(event.job);
  });
  const known = (await Promise.race([ledger.jobs.list({ limit: 99 }), died])) ?? [];
  const found = known.find(rests);
  if (found) resolve(found);
  const late = AbortSignal.timeout(20_000);
  const stuck = new Promise<never>((_, reject) =>
    late.addEventListener('abort', () => reject(new Error('nothing leads on'))),
  );
  return Promise.race([promise, died.then(() => 'died' as const), stuck]).finally(stop);
}

test('nothing counts that must not, nobody is paid twice, and there is always a way on', async () => {
  const seen = { accepted: 0, held: 0 };
  await fc.assert(
    fc.asyncProperty(plan, async ({ terms: all, works, sayings, away, people, deaths }) => {
      const said = new Map<string, Saying>();
      const finished = new Map<string, number>();
      const answered: { n: number; by: string }[] = [];
      let text = 'Work 0.';
      let turn = 0;
      const play = (call: AgentCall): string => {
        const { agent, step, jobId, attempt: n } = call;
        if (!step) {
          const does = works[Math.min(answered.length, works.length - 1)];
          answered.push({ n, by: agent.name });
          if (does === 'fails' && agent.name === 'author') throw new Error('it fails');
          if (does === 'new') text = `Work ${answered.length}.`;
          return text;
        }
        // The same job says the same, however often it is begun.
        const saying = said.get(jobId) ?? (sayings[turn++ % sayings.length] as Saying);
        said.set(jobId, saying);
        const told = says[saying][0];
        // Nothing is known of it where the process dies then: it is begun again.
        if (told === undefined) throw new Error('it crashes');
        finished.set(jobId, (finished.get(jobId) ?? 0) + 1);
        return told;
      };
      const [first = all[0] as Terms, ...later] = all;
      const inForce = new Map<string, Terms>();
      let now = first;
      const house = new House(() => ({ kind: 'accept' }), { config: configOf(now), answer: play });
      const left = { deaths: [...deaths], people: [...people], terms: [...later] };
      let started = await house.start(left.deaths.shift());
      for (const name of away) await Promise.race([started.coordinator.pauseAgent(name, 'me'), started.died]);
      const restart = async (): Promise<void> => {
        await started.die();
        now = left.terms.shift() ?? now;
        writeFileSync(join(house.dir, 'config/orchestrator.yaml'), configOf(now));
        started = await house.start(left.deaths.shift());
      };
      const note = (rounds: readonly ReviewRecord[]): void => {
        for (const { id, decision } of rounds)
          if (decision !== undefined && !inForce.has(id)) inForce.set(id, now);
      };
      let answers = 0;
      let job: JobRecord | undefined;
      for (let turns = 0; ; turns++) {
        expect(turns).toBeLessThan(30);
        await Promise.race([house.drop(started, 'a'), started.died]);
        const found = await rest(started);
        if (found === 'died') {
          // Who decided before it died is not known from outside.
          await restart();
          continue;
        }
        note(await started.ledger.reviews.list({ limit: 99 }));
        job = found;
        if (found.state !== 'held') break;
        seen.held++;
        expect(['clarify', 'escalated']).toContain(found.reason);
        const does = left.people.shift() ?? 'release';
        if (does === 'restart') await restart();
        else if (does === 'pause one')
          await Promise.race([started.coordinator.pauseAgent('one', 'me'), started.died]);
        else if (does === 'answer') {
          const gone = await Promise.race([started.coordinator.answer(found.id, 'Go on.'), started.died]);
          if (gone) expect(gone).toEqual([found.id]);
          answers++;
        } else {
          const gone = await Promise.race([started.coordinator.unhold(found.id), started.died]);
          if (gone !== undefined) expect(gone).toBe(true);
        }
      }
      await Promise.race([started.settled(), started.died]);
      // Its last writes may not be there: the next process makes them.
      await restart();
      left.deaths.length = 0;
      if (await Promise.race([started.settled().then(() => false), started.died.then(() => true)])) {
        await restart();
        await started.settled();
      }
      const rounds = (await started.ledger.reviews.list({ limit: 99 })).toReversed();
      const last = (await started.ledger.jobs.get(job.id)) as JobRecord;
      expect(['succeeded', 'failed']).toContain(last.state);

      for (const round of rounds) {
        const { author, verdicts, decision, subject, isRevised = false } = round;
        const authors = [
          author,
          ...rounds.filter((one) => one.startedAt < round.startedAt).map((one) => one.author),
        ];
        for (const { agent, jobId, verdict, weight } of verdicts) {
          if (jobId === undefined) continue;
          expect(authors, 'nobody judges what it has done').not.toContain(agent);
          const saying = said.get(jobId);
          if (decision !== undefined && verdict !== 'missing')
            expect(verdict, `${saying}`).toBe(saying && says[saying][1]);
          expect(weight).toBeGreaterThanOrEqual(0);
        }
        const by = inForce.get(round.id);
        const agents = verdicts.filter(({ jobId }) => jobId !== undefined);
        if (by && agents.length > 0 && deaths.length === 0 && all.length === 1) {
          const passes = decision === 'continue' || decision === 'warn';
          expect([decision, mayPass(by, verdicts, round.round)]).toEqual([decision, passes]);
          if (isRevised) expect(round.round).toBeLessThan(by.maxRounds);
        }
        expect(subject.kind).toBe('job');
      }
      const most = Math.max(...all.map(({ maxRounds }) => maxRounds));
      const ofAuthor = rounds.filter(({ decision }) => decision !== undefined).length;
      // Each answer, and each change of who does it, may cost another round.
      expect(ofAuthor).toBeLessThanOrEqual(most + answers + 1);
      // Who has answered is not asked again, in whatever process that was.
      for (const [id, times] of finished) expect([id, times]).toEqual([id, 1]);
      if (last.state === 'succeeded') {
        const isByPerson = last.message?.startsWith('accepted as it is by a person') ?? false;
        const final = rounds.findLast(({ decision }) => decision !== undefined);
        expect(final?.subject.kind === 'job' && final.subject.attempt).toBe(last.attempts.at(-1)?.n);
        if (!isByPerson) {
          expect(['continue', 'warn']).toContain(final?.decision);
          expect(final?.verdicts.some(({ verdict }) => verdict !== 'missing')).toBe(true);
        }
        seen.accepted++;
      }
      const told = house.receipt('a')?.reviews?.map(({ round, decision }) => [round, decision]);
      const known = rounds.filter(({ endedAt }) => endedAt !== undefined);
      expect(told ?? []).toEqual(known.map(({ round, decision }) => [round, decision]));
      expect(await started.ledger.reviews.list({ open: true, limit: 9 })).toEqual([]);
      expect(await started.ledger.kept.list('job_note')).toEqual([]);
      await started.die();
    }),
    { numRuns: 40 },
  );
  // What else came about depends on chance.
  expect([seen.accepted > 0, seen.held > 0]).toEqual([true, true]);
});

/** Versions and flags that programs told, kept in the ledger as long as the program's file is the same, a day at the most. */
import type { KeptLedger } from '../../ledger/ledger.ts';
import { type AskedKind, day, type VersionAnswer } from './ask-version.ts';

interface Stored {
  /** With which arguments it was asked. */
  readonly asked: string;
  /** Of its file. */
  readonly stamp: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly version: string;
  readonly flags: readonly string[];
}

type Kept = Pick<KeptLedger, 'get' | 'put'>;
type Known = Extract<VersionAnswer, { is: 'known' }>;

const keptKind = 'agent_cli';

/** A ledger that cannot be read has nothing. */
export async function recallVersion(
  kept: Kept,
  kind: AskedKind,
  file: string,
  stamp: () => string | undefined,
): Promise<Known | undefined> {
  const stored = readStored(await kept.get(keptKind, nameOf(kind, file)).catch(() => undefined));
  if (stored?.asked !== askedOf(kind) || stored.stamp !== stamp()) return undefined;
  const untilMs = stored.at + day;
  // A clock that was put back says nothing about how old it is.
  if (stored.at > Date.now() || Date.now() >= untilMs) return undefined;
  return { is: 'known', version: { text: stored.version, flags: new Set(stored.flags) }, untilMs };
}

/** What cannot be kept is asked for again by the next process; so is what is not all there. */
export async function keepVersion(
  kept: Kept,
  kind: AskedKind,
  file: string,
  stamp: string,
  { version: { text: version, flags }, untilMs }: Known,
): Promise<void> {
  if (flags === undefined) return;
  const value: Stored = { asked: askedOf(kind), stamp, at: untilMs - day, version, flags: [...flags] };
  await kept.put(keptKind, nameOf(kind, file), value).catch(() => {});
}

function nameOf({ name }: AskedKind, file: string): string {
  return `${name} ${file}`;
}

function askedOf({ versionArgs, helpArgs }: AskedKind): string {
  return JSON.stringify([versionArgs, helpArgs]);
}

/** Anything may stand there. */
function readStored(value: unknown): Stored | undefined {
  const stored = value as Partial<Stored> | null | undefined;
  const isStored =
    typeof stored?.asked === 'string' &&
    typeof stored.stamp === 'string' &&
    typeof stored.at === 'number' &&
    typeof stored.version === 'string' &&
    Array.isArray(stored.flags);
  return isStored ? (stored as Stored) : undefined;
}

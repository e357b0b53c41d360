/**
 * What the log-in of an agent CLI rests on, as one hash that changes when that does: what it says of its log-in, the stamps
 * of the files that hold it, the values of its variables, its entry in the configuration. It stands in the ledger, so it is
 * made with a key that stands in a file of its own: without that nobody can try values of secrets against it.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CliAgent } from '../../config/config.ts';
import { systemCode } from '../../types/errors.ts';
import { fsPath } from '../../types/path-bytes.ts';
import { isNamed } from './cli-environment.ts';
import type { CliKind, HomePlace, LoginState } from './kind.ts';
import { homePlaces } from './places.ts';

export interface EvidenceOf {
  readonly kind: Pick<CliKind, 'name' | 'environment' | 'home'>;
  readonly agent: CliAgent;
  /** What an attempt would see. */
  readonly env: Readonly<Record<string, string>>;
  readonly login: LoginState;
}

const keyName = 'log-in.key';
const keyBytes = 32;

/** @param stateDir Exists; the key is kept in it, and made where there is none. */
export function logInEvidence(stateDir: string, { kind, agent, env, login }: EvidenceOf): string {
  const own = ['HOME', ...agent.env.map(({ name }) => name)];
  const names = Object.keys(env).filter((name) => own.includes(name) || isNamed(name, kind.environment));
  const parts = [
    ...[kind.name, login.state, login.detail, login.method ?? ''],
    ...homePlaces(kind.home, env).flatMap(({ path, place }) => filesOf(path, place).map(stampOf)),
    ...names.toSorted().map((name) => `${name}=${env[name]}`),
    JSON.stringify(agent),
  ];
  return createHmac('sha256', keyIn(stateDir)).update(JSON.stringify(parts)).digest('base64url');
}

/** Folders hold much that changes with every run: without a word of the kind only places that are files count. */
function filesOf(path: string, { isFile = false, logIn }: HomePlace): readonly string[] {
  if (logIn) return logIn.map((name) => (name === '.' ? path : join(path, name)));
  return isFile ? [path] : [];
}

function stampOf(file: string): string {
  try {
    const { ino, size, mtimeNs } = statSync(fsPath(file), { bigint: true });
    return `${file} ${ino} ${size} ${mtimeNs}`;
  } catch (error) {
    return `${file} ${systemCode(error) ?? 'unknown'}`;
  }
}

/** Whoever loses the race to make it takes the other's. One that is torn is made again: evidence then has changed. */
function keyIn(stateDir: string): Buffer {
  const file = fsPath(join(stateDir, keyName));
  for (const flag of ['wx', 'w'] as const) {
    const key = readKey(file);
    if (key) return key;
    try {
      writeFileSync(file, randomBytes(keyBytes), { flag, mode: 0o600 });
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
  }
  const key = readKey(file);
  if (key) return key;
  throw new Error(`"${keyName}" cannot be kept`);
}

function readKey(file: string | Buffer): Buffer | undefined {
  try {
    const key = readFileSync(file);
    return key.length === keyBytes ? key : undefined;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

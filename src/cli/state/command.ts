/**
 * What `sluice state` is asked to do. Inside an attempt its words are read here, without commander, which takes as long as
 * all the rest; what is not written plainly (help, slips) is left to commander, which says it well.
 */
export interface StateTarget {
  /** From the owner's shell; inside an attempt the token says which. */
  readonly session?: string;
  /** Whose private state the owner means. */
  readonly agent?: string;
}

export type StateCommand = StateTarget &
  (
    | { readonly do: 'get'; readonly key: string; readonly isPrivate: boolean; readonly json: boolean }
    | {
        readonly do: 'set';
        readonly key: string;
        readonly value: ValueSource;
        readonly isPrivate: boolean;
        readonly ttl?: string;
        readonly ifRevision?: string;
        readonly json: boolean;
      }
    | {
        readonly do: 'delete';
        readonly key: string;
        readonly isPrivate: boolean;
        readonly ifRevision?: string;
        readonly json: boolean;
      }
    | { readonly do: 'list'; readonly json: boolean }
    | { readonly do: 'transaction' }
    | {
        readonly do: 'lock';
        readonly name: string;
        readonly ttl: string;
        readonly wait: string;
        readonly argv: readonly string[];
      }
  );

export type ValueSource =
  | { readonly from: 'text'; readonly text: string }
  | { readonly from: 'json'; readonly text: string }
  /** `-`: the value is read from stdin. */
  | { readonly from: 'stdin'; readonly isJson: boolean };

/** Options as commander gives them. */
export interface StateOptions extends StateTarget {
  readonly private?: boolean;
  readonly json?: boolean;
  readonly ttl?: string;
  readonly wait?: string;
  readonly ifRevision?: string;
  readonly jsonValue?: string;
}

export const lockDefaults = { ttl: '1m', wait: '10m' } as const;

/** @returns undefined when the words do not fit the command. */
export function toCommand(
  what: string,
  words: readonly string[],
  options: StateOptions,
): StateCommand | undefined {
  const { session, agent, json = false, private: isPrivate = false, ttl, ifRevision, jsonValue } = options;
  const target = { ...(session !== undefined && { session }), ...(agent !== undefined && { agent }) };
  const [first, second] = words;
  const guard = ifRevision === undefined ? {} : { ifRevision };
  switch (what) {
    case 'get':
      if (first === undefined || words.length !== 1) return undefined;
      return { do: what, ...target, key: first, isPrivate, json };
    case 'set': {
      const value = valueSource(second, jsonValue);
      if (first === undefined || words.length > 2 || value === undefined) return undefined;
      return { do: what, ...target, key: first, value, isPrivate, json, ...guard, ...(ttl && { ttl }) };
    }
    case 'delete':
      if (first === undefined || words.length !== 1) return undefined;
      return { do: what, ...target, key: first, isPrivate, json, ...guard };
    case 'list':
      return words.length === 0 ? { do: what, ...target, json } : undefined;
    case 'transaction':
      return words.length === 0 ? { do: what, ...target } : undefined;
    case 'lock': {
      const [name, ...argv] = words;
      if (name === undefined || argv.length === 0) return undefined;
      const { ttl: lease = lockDefaults.ttl, wait = lockDefaults.wait } = options;
      return { do: what, ...target, name, ttl: lease, wait, argv };
    }
    default:
      return undefined;
  }
}

function valueSource(text: string | undefined, json: string | undefined): ValueSource | undefined {
  if ((text === undefined) === (json === undefined)) return undefined;
  if (json !== undefined)
    return json === '-' ? { from: 'stdin', isJson: true } : { from: 'json', text: json };
  return text === '-' ? { from: 'stdin', isJson: false } : { from: 'text', text: text as string };
}

const flags: Readonly<Record<string, keyof StateOptions>> = { '--private': 'private', '--json': 'json' };
const withValue: Readonly<Record<string, keyof StateOptions>> = {
  '--session': 'session',
  '--agent': 'agent',
  '--ttl': 'ttl',
  '--wait': 'wait',
  '--if-revision': 'ifRevision',
  '--json-value': 'jsonValue',
};
const optionsOf: Readonly<Record<string, readonly string[]>> = {
  get: ['--private', '--json'],
  set: ['--private', '--json', '--ttl', '--if-revision', '--json-value'],
  delete: ['--private', '--json', '--if-revision'],
  list: ['--json'],
  transaction: [],
  lock: ['--ttl', '--wait'],
};

/**
 * @param args After `state`.
 * @returns undefined for what commander has to look at.
 */
export function readStateArgs(args: readonly string[]): StateCommand | undefined {
  const [what = '', ...rest] = args;
  const allowed = Object.hasOwn(optionsOf, what) ? [...(optionsOf[what] ?? []), '--session', '--agent'] : [];
  const words: string[] = [];
  const options: Record<string, string | boolean> = {};
  for (let at = 0; at < rest.length; at += 1) {
    const arg = rest[at] as string;
    if (arg === '--') {
      words.push(...rest.slice(at + 1));
      break;
    }
    if (!arg.startsWith('-') || arg === '-') {
      words.push(arg);
      continue;
    }
    const split = arg.indexOf('=');
    const name = split < 0 ? arg : arg.slice(0, split);
    if (!allowed.includes(name)) return undefined;
    const flag = flags[name];
    if (flag !== undefined) {
      if (split >= 0) return undefined;
      options[flag] = true;
      continue;
    }
    const value = split < 0 ? rest[++at] : arg.slice(split + 1);
    const option = withValue[name];
    if (value === undefined || option === undefined || (split < 0 && value.startsWith('-') && value !== '-'))
      return undefined;
    options[option] = value;
  }
  return toCommand(what, words, options);
}

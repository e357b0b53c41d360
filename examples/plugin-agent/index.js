// The agent kind: how the CLI `parrot` is found, started and read. Sluice calls this function once and hands it what its own
// kinds are made of, so that nothing has to be installed beside this package.
import { fileURLToPath } from 'node:url';

/** @import { AgentPluginFactory, CliEnd, CliLine, CliReader, Denial, Json, PluginTools, Usage } from 'sluice/plugin' */

/** @type {AgentPluginFactory} */
export default (sluice) => ({
  apiVersion: 1,
  name: 'parrot',
  title: 'Parrot',
  // Yours is a name that is looked for on PATH: ['parrot'].
  programs: [fileURLToPath(new URL('./parrot.js', import.meta.url))],
  install: 'npm install sluice-kind-example',
  login: 'Set PARROT_KEY.',
  capabilities: ['code_review'],
  minimumVersion: '1.0.0',
  versionArgs: ['--version'],
  helpArgs: ['--help'],
  environment: ['PARROT_KEY'],
  home: [],

  async loginState({ env }) {
    return env.PARROT_KEY
      ? { state: 'logged_in', detail: 'PARROT_KEY' }
      : { state: 'logged_out', detail: 'PARROT_KEY is not set' };
  },

  launch({ access, directories, model, prompt, options }) {
    return {
      args: [
        '--json',
        ...['--may', access],
        ...directories.flatMap((dir) => ['--dir', dir]),
        ...(model === undefined ? [] : ['--model', model]),
        ...(options.loud === true ? ['--loud'] : []),
      ],
      env: {},
      files: [],
      stdin: prompt,
    };
  },

  read: () => new ParrotReader(sluice),

  resume: (sessionId, cwd) =>
    `${sluice.shellLine(['cd', cwd])} && ${sluice.shellLine(['parrot', '--resume', sessionId])}`,
});

/** @implements {CliReader} */
class ParrotReader {
  hasEnded = false;
  #sluice;
  /** @type {'none' | 'success' | 'failure'} */
  #terminal = 'none';
  #text = '';
  /** @type {string | undefined} */
  #session;
  /** @type {Usage | undefined} */
  #usage;
  /** @type {string | undefined} */
  #error;
  /** @type {Denial[]} */
  #denials = [];

  /** @param {PluginTools} sluice */
  constructor(sluice) {
    this.#sluice = sluice;
  }

  /** @param {CliLine} line */
  line(line) {
    const { event, noEvents, objectOf, textOf, toolCall } = this.#sluice;
    if (line.kind !== 'json') return noEvents;
    // Fields are looked at before they are used: the next version of the CLI may write something else.
    const { is, text, tool, path, session, ok } = line.value;
    switch (is) {
      case 'start':
        this.#session = textOf(session);
        return noEvents;
      case 'say':
        this.#text = textOf(text) ?? '';
        return [event('progress', { text: this.#text })];
      case 'tool':
        return [toolCall(textOf(tool) ?? 'tool', { path: textOf(path) }, { file: textOf(path) })];
      case 'denied': {
        const message = `${textOf(tool) ?? 'a tool'} ${textOf(path) ?? ''}: not allowed`;
        // The cure is what a second launch changes, once, if the agent's configuration lets it go so far.
        this.#denials.push({ message, cure: { kind: 'access', access: 'edit' } });
        return [event('blocker', { text: message, permission: true })];
      }
      case 'error':
        this.#error = textOf(text) ?? 'failed';
        return [event('error', { text: this.#error })];
      case 'end': {
        this.hasEnded = true;
        this.#terminal = ok === true ? 'success' : 'failure';
        this.#usage = usageOf(objectOf(line.value.tokens), this.#sluice);
        return [
          event(ok === true ? 'milestone' : 'error', { text: this.#text, final: true, usage: this.#usage }),
        ];
      }
      default:
        return noEvents;
    }
  }

  /** @param {CliEnd} end */
  end({ stderr, now }) {
    const message = this.#error ?? (/^parrot: (.+)$/m.exec(stderr)?.[1] || undefined);
    const isFault = this.#terminal !== 'success' && message !== undefined;
    return {
      terminal: this.#terminal,
      // What kind of fault a service's message is, and when it may be tried again, is known there.
      faults: isFault ? [this.#sluice.serviceFault({ message }, now)] : [],
      denials: this.#denials,
      text: this.#text,
      ...(this.#session !== undefined && { sessionId: this.#session }),
      ...(this.#usage && { usage: this.#usage }),
      costUsd: null,
    };
  }
}

/**
 * @param {Json} tokens
 * @param {PluginTools} sluice
 * @returns {Usage | undefined}
 */
function usageOf({ input, output }, { amountOf }) {
  if (amountOf(input) === undefined) return undefined;
  return {
    input_tokens: amountOf(input) ?? 0,
    cache_read_tokens: 0,
    cache_write_tokens: 0,
    output_tokens: amountOf(output) ?? 0,
  };
}

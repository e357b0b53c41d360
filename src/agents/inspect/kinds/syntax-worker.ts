/** The entry of the thread in which source code is parsed: a text in, its facts out, one at a time. */
import { parentPort } from 'node:worker_threads';
import { openParser, type SyntaxFacts } from './syntax.ts';

export interface SyntaxRequest {
  readonly text: string;
  readonly grammar: string;
}

export type SyntaxReply = { readonly ready: true } | { readonly facts: SyntaxFacts };

const read = await openParser();
parentPort?.on('message', async ({ text, grammar }: SyntaxRequest) => {
  // What is thrown here ends the thread, as it should: a parser that failed once is not used again.
  parentPort?.postMessage({ facts: await read(text, grammar) } satisfies SyntaxReply);
});
parentPort?.postMessage({ ready: true } satisfies SyntaxReply);

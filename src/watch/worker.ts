/** The watch worker's entry: the engine behind messages. A thread of its own, so that a busy main loop cannot overflow the kernel's queue. */
import { type MessagePort, parentPort } from 'node:worker_threads';
import { Engine } from './engine.ts';
import type { FromWorker, ToWorker, WorkerSetup } from './protocol.ts';
import { createSources } from './source-factory.ts';

const statusMs = 200;

type Known = readonly ReadonlyMap<string, string>[];

if (parentPort !== null) receive(parentPort);

/** The first message is the setup; what comes while that is taken up waits for its turn. */
function receive(port: MessagePort): void {
  let serving: Promise<(message: ToWorker) => void> | undefined;
  port.on('message', (message: WorkerSetup | ToWorker) => {
    if (serving) void serving.then((hear) => hear(message as ToWorker));
    else serving = serve(port, message as WorkerSetup);
  });
}

async function serve(port: MessagePort, setup: WorkerSetup): Promise<(message: ToWorker) => void> {
  const say = (message: FromWorker) => port.postMessage(message);
  const questions = new Map<number, PromiseWithResolvers<Known>>();
  const raise = (condition: Extract<FromWorker, { kind: 'raise' }>['condition']) =>
    say({ kind: 'raise', condition });
  const sources = await createSources({ stateDir: setup.stateDir, raise });
  let lastQuestion = 0;
  let statusTimer: NodeJS.Timeout | undefined;
  const engine = new Engine({
    ...setup,
    sources,
    raise,
    clear: (code, subject) => say({ kind: 'clear', code, subject }),
    post: (changes) => say({ kind: 'batch', changes }),
    ask(root, folders) {
      const id = ++lastQuestion;
      const answer = Promise.withResolvers<Known>();
      questions.set(id, answer);
      say({ kind: 'question', id, root, folders });
      return answer.promise;
    },
    onChange() {
      statusTimer ??= setTimeout(() => {
        statusTimer = undefined;
        say({ kind: 'status', roots: engine.status() });
      }, statusMs);
    },
  });

  void engine.update(setup.roots).then(async () => {
    say({ kind: 'status', roots: engine.status() });
    say({ kind: 'watching' });
    await engine.swept();
    say({ kind: 'status', roots: engine.status() });
    say({ kind: 'swept' });
  });

  return (message) => {
    switch (message.kind) {
      case 'ack':
        return engine.acked();
      case 'answer': {
        const question = questions.get(message.id);
        questions.delete(message.id);
        if (message.known === undefined) question?.reject(new Error('the ledger did not answer'));
        else question?.resolve(message.known);
        return;
      }
      case 'sweep':
        void engine.sweep(message.root).then(() => finish(message.id));
        return;
      case 'update':
        void engine.update(message.roots).then(() => finish(message.id));
        return;
      case 'close':
        void close();
        return;
      default:
        return message satisfies never;
    }
  };

  function finish(id: number): void {
    say({ kind: 'status', roots: engine.status() });
    say({ kind: 'done', id });
  }

  async function close(): Promise<void> {
    for (const question of questions.values()) question.reject(new Error('the watcher is closing'));
    questions.clear();
    await engine[Symbol.asyncDispose]();
    clearTimeout(statusTimer);
    say({ kind: 'closed' });
    port.close();
  }
}

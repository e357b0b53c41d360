/**
 * The helper process: starts commands for the daemon, watches over them, and ends everything when its pipe to the daemon
 * closes, for whatever reason. It is small, so starting is cheap however big the daemon is; it leads its own session, so a
 * Ctrl-C in the terminal is the daemon's to handle.
 *
 * Arguments: one JSON object, `HelperOptions`.
 */
import { messageOf } from '../../types/errors.ts';
import { JournalWriter } from './journal.ts';
import { createNativeLauncher } from './launch-native.ts';
import { createPortableLauncher } from './launch-portable.ts';
import { clearRecorded } from './limits/group-record.ts';
import { createKeeper } from './limits/keeper.ts';
import { probeLimits } from './limits/probe.ts';
import { type FromHelper, type HelperOptions, lineSplitter, type ToHelper } from './protocol.ts';
import { Undertaker } from './undertaker.ts';

const options = JSON.parse(process.argv[2] ?? '') as HelperOptions;
const log = (text: string) => process.stderr.write(`${text}\n`, () => {});
const say = (message: FromHelper) => process.stdout.write(`${JSON.stringify(message)}\n`, () => {});
// The daemon is gone when these break; the end of stdin says so too and is acted on.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});
// A service manager signals the whole unit: the daemon decides when its agents end.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.title = 'sluice-spawner';

const journal = new JournalWriter(options.stateDir);
const { tag, managerEnv, stateDir } = options;
clearRecorded(stateDir, tag);
const { backend } = probeLimits({ tag, managerEnv, wanted: options.limits, daemonPid: process.ppid });
const keeper = createKeeper({ backend, stateDir, log });
const undertaker = new Undertaker({
  tag,
  graceMs: options.graceMs,
  journal,
  keeper,
  report: (id, exit) => say({ op: 'exit', id, exit }),
  log,
});
const { onExit, onDrained } = undertaker;
let portable: string | undefined = options.way === 'portable' ? 'asked for' : undefined;
if (portable === undefined) {
  try {
    undertaker.use(await createNativeLauncher({ tag, onExit, onDrained }));
  } catch (error) {
    portable = messageOf(error);
  }
}
if (portable !== undefined) undertaker.use(createPortableLauncher({ onExit, onDrained }));

process.stdin.setEncoding('utf8');
process.stdin.on(
  'data',
  lineSplitter((line) => obey(JSON.parse(line) as ToHelper)),
);
process.stdin.on('error', end);
process.stdin.on('close', end);
say({ op: 'ready', limits: backend.name, ...(portable === undefined ? {} : { portable }) });

function obey(message: ToHelper): void {
  switch (message.op) {
    case 'start':
      void undertaker.start(message.id, message.request);
      return;
    case 'cancel':
      undertaker.cancel(message.id, message.reason);
      return;
    case 'checkpoint':
      try {
        journal.checkpoint(message.settled);
        say({ op: 'checkpointed', id: message.id });
      } catch (error) {
        say({ op: 'checkpointed', id: message.id, error: messageOf(error) });
      }
      return;
    default:
      message satisfies never;
  }
}

function end(): void {
  void undertaker.close().then(() => {
    keeper.close();
    process.exit(0);
  });
}

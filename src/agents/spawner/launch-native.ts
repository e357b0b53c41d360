/**
 * Starting processes on Linux by `posix_spawn` through FFI. The C library does it like vfork: 0.1 ms, whatever the
 * caller's size, and the reason for a refused exec comes back as its error code; Node's own `spawn` forks (0.6 ms) and
 * cannot hand over names that are not UTF-8. A helper program in C would be as fast, but must be built on each machine.
 *
 * Ends are noticed by SIGCHLD and collected here on the main thread, so between two statements no pid that we believe
 * alive can be given to another process. (A second thread that blocks in `wait4` would take that guarantee away.)
 */
import { openSync, readSync } from 'node:fs';
import { constants } from 'node:os';
import { pathToBytes } from '../../types/path-bytes.ts';
import { type ExitStatus, type Launch, LaunchError, type Launcher, type OnExit } from './launcher.ts';
import { markBase, readMark } from './mark.ts';
import { decodeUsage, rusageBytes } from './rusage.ts';

const prSetChildSubreaper = 36;
const rlimitRttime = 15;
const spawnSetSigdef = 0x04;
const spawnSetSigmask = 0x08;
const spawnSetSid = 0x80;
const wnohang = 1;

type Native = (...args: readonly (Buffer | number | null | bigint)[]) => number;

export interface NativeOptions {
  readonly tag: string;
  readonly onExit: OnExit;
  /** After all ends that were there have been told. */
  readonly onDrained: () => void;
}

/** @throws when this machine cannot do it: not Linux, no FFI, a C library without what is needed. */
export async function createNativeLauncher({ tag, onExit, onDrained }: NativeOptions): Promise<Launcher> {
  if (process.platform !== 'linux')
    throw new Error(`the native way is for Linux, this is ${process.platform}`);
  const { default: koffi } = await import('koffi');
  const self = koffi.load(null);
  const native = (name: string, types: string) => self.func(`int ${name}(${types})`) as unknown as Native;
  const spawn = native('posix_spawn', 'void *, void *, void *, void *, void *, void *');
  const actionsInit = native('posix_spawn_file_actions_init', 'void *');
  const actionsDestroy = native('posix_spawn_file_actions_destroy', 'void *');
  const addDup2 = native('posix_spawn_file_actions_adddup2', 'void *, int, int');
  const addChdir = native('posix_spawn_file_actions_addchdir_np', 'void *, void *');
  const setRlimit = native('setrlimit', 'int, void *');
  const sendSignal = native('kill', 'int, int');
  const wait4 = native('wait4', 'int, void *, int, void *');
  const closeFrom = optional(() => native('posix_spawn_file_actions_addclosefrom_np', 'void *, int'));
  const failed = (what: string) => new Error(`${what} failed: ${codeOf(koffi.errno())}`);
  const prctl = self.func('int prctl(int, long, long, long, long)') as unknown as Native;
  if (prctl(prSetChildSubreaper, 1, 0, 0, 0) !== 0) throw failed('prctl(PR_SET_CHILD_SUBREAPER)');
  const attributes = spawnAttributes(native);
  const childrenFd = openSync(`/proc/self/task/${process.pid}/children`, 'r');
  const nullFd = openSync('/dev/null', 'r');

  const base = markBase(tag);
  const rttime = Buffer.alloc(16);
  if (native('getrlimit', 'int, void *')(rlimitRttime, rttime) !== 0)
    throw failed('getrlimit(RLIMIT_RTTIME)');
  const mark = (seq: number) => {
    rttime.writeBigUInt64LE(base | BigInt(seq), 0);
    // Refused where an administrator lowered the hard limit: then the environment variables alone must do.
    setRlimit(rlimitRttime, rttime);
  };

  const actions = Buffer.alloc(256);
  const pidOut = Buffer.alloc(4);
  const start = ({ file, argv, env, cwd, stdinFd, stdoutFd, stderrFd, seq }: Launch): number => {
    const pointers = pointerTable(koffi.address);
    const argvTable = pointers(argv.map(cString));
    const envTable = pointers(Object.entries(env).map(([name, value]) => cString(`${name}=${value}`)));
    mark(seq);
    actionsInit(actions);
    try {
      addDup2(actions, stdinFd ?? nullFd, 0);
      addDup2(actions, stdoutFd, 1);
      addDup2(actions, stderrFd, 2);
      addChdir(actions, cString(cwd));
      closeFrom?.(actions, 3);
      const code = spawn(pidOut, cString(file), actions, attributes, argvTable.table, envTable.table);
      if (code !== 0) throw new LaunchError(codeOf(code), file);
      return pidOut.readInt32LE(0);
    } finally {
      actionsDestroy(actions);
    }
  };

  const status = Buffer.alloc(4);
  const usage = Buffer.alloc(rusageBytes);
  const drain = () => {
    for (let pid = wait4(-1, status, wnohang, usage); pid > 0; pid = wait4(-1, status, wnohang, usage))
      onExit(pid, decodeStatus(status.readInt32LE(0)), decodeUsage(usage));
    onDrained();
  };
  process.on('SIGCHLD', drain);

  return {
    start,
    kill: (pid, signal) => sendSignal(pid, signal === 0 ? 0 : constants.signals[signal]) === 0,
    children: () => readChildren(childrenFd),
    markOf: (pid) => readMark(pid, tag)?.seq ?? 0,
  };

  function spawnAttributes(make: typeof native): Buffer {
    const attr = Buffer.alloc(1024);
    const none = Buffer.alloc(256);
    const all = Buffer.alloc(256);
    make('sigemptyset', 'void *')(none);
    make('sigfillset', 'void *')(all);
    make('posix_spawnattr_init', 'void *')(attr);
    // Node ignores SIGPIPE, and a child would inherit that: `yes | head` in an agent's script must end.
    make('posix_spawnattr_setsigdefault', 'void *, void *')(attr, all);
    make('posix_spawnattr_setsigmask', 'void *, void *')(attr, none);
    make('posix_spawnattr_setflags', 'void *, short')(attr, spawnSetSigdef | spawnSetSigmask | spawnSetSid);
    return attr;
  }
}

function readChildren(fd: number): number[] {
  const chunk = Buffer.allocUnsafe(4096);
  let text = '';
  for (let n = readSync(fd, chunk, 0, chunk.length, 0); n > 0; ) {
    text += chunk.toString('latin1', 0, n);
    n = readSync(fd, chunk, 0, chunk.length, text.length);
  }
  return text.split(' ').filter(Boolean).map(Number);
}

/** NUL-terminated bytes, and a table of pointers to them; both must be kept until the call has returned. */
function pointerTable(address: (value: Buffer) => bigint) {
  return (strings: readonly Buffer[]) => {
    const bytes = Buffer.concat(strings);
    const base = strings.length === 0 ? 0n : address(bytes);
    const wide = process.arch !== 'arm' && process.arch !== 'ia32';
    const table = Buffer.alloc((strings.length + 1) * (wide ? 8 : 4));
    let offset = 0;
    strings.forEach((string, i) => {
      const at = base + BigInt(offset);
      if (wide) table.writeBigUInt64LE(at, i * 8);
      else table.writeUInt32LE(Number(at), i * 4);
      offset += string.length;
    });
    return { bytes, table };
  };
}

const zero = Buffer.alloc(1);

function cString(text: string): Buffer {
  if (text.includes('\0')) throw new LaunchError('EINVAL', 'an argument or variable holds a NUL character');
  return Buffer.concat([pathToBytes(text), zero]);
}

function decodeStatus(status: number): ExitStatus {
  const signal = status & 0x7f;
  if (signal === 0) return { exitCode: (status >> 8) & 0xff };
  return { signal: nameOf(constants.signals, signal) ?? `SIG${signal}` };
}

function codeOf(errno: number): string {
  return nameOf(constants.errno, errno) ?? `E${errno}`;
}

function nameOf(names: object, value: number): string | undefined {
  return Object.entries(names).find(([, number]) => number === value)?.[0];
}

function optional<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}

/**
 * Plays an agent CLI: answers `--version` and `--help` like the real one, then does what the file beside it says
 * (`<program>.json`, see `fakes.ts`), and notes what it was started with in `seen/<program>/`. Plain JavaScript, since it is copied
 * into projects and started there.
 */
import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const own = process.argv[1];
const args = process.argv.slice(2);
const seenDir = join(dirname(own), 'seen', basename(own));
const seen = {};

/**
 * @param kind.version What the real one prints.
 * @param kind.help Its flags, as its help names them.
 * @param kind.refuse What it says to a flag that it does not know, and its exit code.
 */
export async function play(kind) {
  const script = JSON.parse(readFileSync(`${own}.json`, 'utf8'));
  if (args.includes('--version')) return print(`${kind.versionText(script.version ?? kind.version)}\n`);
  if (args.includes('--help')) {
    if (script.help === null) process.exit(1);
    return print(`${(script.help ?? kind.help).join('\n')}\n`);
  }
  const unknown = args.find((arg) => script.refuses?.includes(arg));
  const n = note({ argv: args, env: process.env, cwd: process.cwd(), pid: process.pid });
  if (unknown !== undefined) {
    const { stderr, exitCode } = kind.refuse(unknown);
    process.stderr.write(stderr);
    process.exit(exitCode);
  }
  // Like the real ones: the prompt is what comes until its end.
  seen.stdin = readFileSync(0, 'utf8');
  keep(n);
  const turn = script.plays.find(({ when }) => fits(when ?? {}, n));
  for (const step of turn?.steps ?? []) {
    const [[name, value]] = Object.entries(step);
    await actions[name](value, n);
  }
}

function fits({ args: wanted = [], notArgs = [], prompt, nth, absent }, n) {
  return (
    wanted.every((arg) => args.includes(arg)) &&
    !notArgs.some((arg) => args.includes(arg)) &&
    (prompt === undefined || seen.stdin.includes(prompt)) &&
    (nth === undefined || nth === n) &&
    (absent === undefined || !existsSync(absent))
  );
}

const actions = {
  out: (text) => print(filled(text)),
  err: (text) => writeAll(2, Buffer.from(filled(text))),
  /** The same again and again. */
  many({ text, times }) {
    for (let count = 0; count < times; count++) print(text);
  },
  /** One line of so many bytes. */
  long: ({ before, bytes, after }) => print(`${before}${'x'.repeat(bytes)}${after}`),
  bytes: (hex) => writeAll(1, Buffer.from(hex, 'hex')),
  write({ file, text }, n) {
    const path = filled(file);
    look(n, `write ${file}`, () => {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      return 'written';
    });
  },
  /** The first of its inputs, where its prompt says that it is. */
  edit(text, n) {
    const line = seen.stdin.split('\n').find((one) => one.startsWith('{"path"')) ?? '{}';
    const { path } = JSON.parse(line);
    look(n, 'edit', () => {
      writeFileSync(path, text);
      return path;
    });
  },
  look: (file, n) => look(n, file, () => readFileSync(filled(file), 'utf8')),
  run([command, ...words], n) {
    look(n, [command, ...words].join(' '), () =>
      execFileSync(command, words.map(filled), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
    );
  },
  /** A server that nobody stops: in a session of its own, deaf, with our output open. */
  fork(_, n) {
    const code = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); process.send('up')";
    const child = spawn(process.execPath, ['-e', code], {
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    return new Promise((done) =>
      child.once('message', () => {
        look(n, 'fork', () => child.pid);
        child.disconnect();
        child.unref();
        done();
      }),
    );
  },
  /** Asks, and reads what is answered. */
  ask(question, n) {
    print(question);
    look(n, 'answer', () => {
      const bytes = readSync(0, Buffer.alloc(100), 0, 100, null);
      return bytes === 0 ? 'end' : `${bytes} bytes`;
    });
  },
  async until(file) {
    const path = filled(file);
    for (;;) {
      try {
        closeSync(openSync(path, 'r'));
        return;
      } catch {
        await sleep(20);
      }
    }
  },
  sleep: (ms) => sleep(ms),
  /** SIGTERM does not end it. */
  deaf: () => process.on('SIGTERM', () => {}),
  async hang() {
    for (;;) await sleep(1000);
  },
  exit: (code) => process.exit(code),
  async kill(signal) {
    process.kill(process.pid, signal);
    await sleep(10_000);
  },
};

function look(n, what, get) {
  seen.looks ??= {};
  try {
    seen.looks[what] = get();
  } catch (error) {
    seen.looks[what] = { code: error.code ?? `exit ${error.status}`, stderr: error.stderr };
  }
  keep(n);
}

/** Which start this is; 0 where nothing may be written. */
function note(what) {
  Object.assign(seen, what);
  try {
    mkdirSync(seenDir, { recursive: true });
  } catch {
    return 0;
  }
  for (let n = 1; ; n++)
    try {
      closeSync(openSync(join(seenDir, `${n}`), 'wx'));
      keep(n);
      return n;
    } catch (error) {
      if (error.code !== 'EEXIST') return 0;
    }
}

function keep(n) {
  if (n === 0) return;
  const file = join(seenDir, `${n}.json`);
  writeFileSync(`${file}.part`, JSON.stringify(seen));
  renameSync(`${file}.part`, file);
}

/** `${NAME}` of its environment. */
function filled(text) {
  return text.replace(/\$\{(\w+)\}/g, (_, name) => process.env[name] ?? '');
}

function print(text) {
  writeAll(1, Buffer.from(text));
}

function writeAll(fd, bytes) {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

#!/usr/bin/env node
// The launcher: plain JavaScript that Node 16 can still read, because `npm install` alone must be enough on a machine
// whose own Node is older than ours. It finds a Node that is new enough and *becomes* it: `sluice start` is the daemon
// itself, so systemd, Ctrl-C and `echo $!` must see one process with one pid. A child that is waited for was rejected as
// the first choice (two processes, signals passed by hand); it is what remains when nothing can replace the process.
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, realpathSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import { homedir, constants as osConstants } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const oldestNode = 24;
const launcher = fileURLToPath(import.meta.url);
const packageDir = dirname(dirname(launcher));
const program = join(packageDir, 'dist', 'cli', 'main.js');

if (!existsSync(program)) {
  leave(`sluice is not built yet: ${program} is missing`, `run \`npm run build\` in ${packageDir}`);
} else if (majorOf(process.versions.node) >= oldestNode) {
  cacheCompiledCode();
  await import(pathToFileURL(program).href);
} else {
  await becomeNewerNode();
}

async function becomeNewerNode() {
  const node = findNode();
  if (node === undefined) {
    leave(
      `sluice needs Node ${oldestNode} or newer; this is ${process.version} (${process.execPath})`,
      `run \`npm install node@${oldestNode}\` in ${packageDir}, or install Node ${oldestNode} from https://nodejs.org`,
    );
    return;
  }
  const args = [...process.execArgv, launcher, ...process.argv.slice(2)];
  const typed = typedArguments();
  if (typed) await replaceThroughFfi(node, [...process.execArgv, launcher, ...typed]);
  if (typeof process.execve === 'function') process.execve(node, [node, ...args], process.env);
  await replaceThroughFfi(node, args);
  runAsChild(node, args);
}

/**
 * Node decodes arguments as UTF-8 and puts U+FFFD where they are not: a file with such a name could not be named any more.
 * Undefined where nothing was lost, or the bytes cannot be had.
 */
function typedArguments() {
  const words = process.argv.slice(2);
  if (process.platform !== 'linux' || !words.some((word) => word.includes('\ufffd'))) return undefined;
  try {
    const given = readFileSync('/proc/self/cmdline', 'latin1').split('\0').slice(0, -1);
    return given.slice(-words.length).map((word) => Buffer.from(`${word}\0`, 'latin1'));
  } catch {
    return undefined;
  }
}

/** The `node` package beside us or above us, where npm, pnpm and a global install put it. */
function findNode() {
  const require = createRequire(import.meta.url);
  let manifest;
  try {
    manifest = require.resolve('node/package.json');
    const node = join(dirname(manifest), 'bin', 'node');
    accessSync(node, constants.X_OK);
    const isNewer = majorOf(JSON.parse(readFileSync(manifest, 'utf8')).version) >= oldestNode;
    // A manifest that lies must not make us replace ourselves by ourselves for ever.
    return isNewer && realpathSync(node) !== realpathSync(process.execPath) ? node : undefined;
  } catch {
    return undefined;
  }
}

/** Returns only if it was not possible. */
async function replaceThroughFfi(node, args) {
  try {
    const { default: koffi } = await import('koffi');
    const self = koffi.load(null);
    const execve = self.func('int execve(const char *path, const char **argv, const char **envp)');
    const fcntl = self.func('int fcntl(int fd, int command, ...)');
    const [setFlags, getFlags, closeOnExec] = [2, 1, 1];
    // Node marks the standard streams close-on-exec; the program we become would start without them.
    for (const fd of [0, 1, 2]) {
      const flags = fcntl(fd, getFlags);
      if (flags !== -1) fcntl(fd, setFlags, 'int', flags & ~closeOnExec);
    }
    const environment = Object.keys(process.env).map((name) => `${name}=${process.env[name]}`);
    execve(node, [node, ...args, null], [...environment, null]);
  } catch {
    // No FFI for this Node or platform.
  }
}

function runAsChild(node, args) {
  const child = spawn(node, args, { stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR2']) {
    // A terminal sends Ctrl-C to both of us; passing it on would count as the second one, which leaves at once.
    const fromTerminal = process.stdin.isTTY && (signal === 'SIGINT' || signal === 'SIGQUIT');
    process.on(signal, () => fromTerminal || child.kill(signal));
  }
  child.on('error', (error) =>
    leave(`${node} can not be started: ${error.message}`, `run \`npm install\` in ${packageDir}`),
  );
  child.on('exit', (code, signal) => {
    process.exitCode = code === null ? 128 + (osConstants.signals[signal] || 0) : code;
  });
}

/** In the user's own cache, not in the shared temporary folder: compiled code that others can write is code of others. */
function cacheCompiledCode() {
  if (typeof module.enableCompileCache !== 'function') return;
  const given = process.env.XDG_CACHE_HOME;
  try {
    const cache = given && isAbsolute(given) ? given : join(homedir(), '.cache');
    module.enableCompileCache(join(cache, 'sluice', 'compiled'));
  } catch {
    // Without a home there is nothing to keep: it only starts slower.
  }
}

function majorOf(version) {
  return Number.parseInt(version, 10);
}

function leave(message, fix) {
  process.stderr.write(`${message}\n  fix: ${fix}\n`);
  process.exitCode = 2;
}

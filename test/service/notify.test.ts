/** The notifier against a real datagram socket, as systemd opens one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect, test } from 'vitest';
import { createNotifier } from '../../src/service/notify.ts';
import { openNotifySocket } from '../../src/service/notify-socket.ts';
import type { AppError } from '../../src/types/errors.ts';

const dir = mkdtempSync(join(tmpdir(), 'sluice-notify-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Prints each datagram as JSON, with the pid that the kernel says has sent it. */
const receiver = `
import json, os, socket, struct, sys
name = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
s.bind('\\0' + name[1:] if name.startswith('@') else name)
print('bound', flush=True)
while True:
    data, ancillary, _, _ = s.recvmsg(65536, 1024)
    pid = struct.unpack('iII', ancillary[0][2][:12])[0]
    print(json.dumps([pid, data.decode()]), flush=True)
`;

interface Listener extends AsyncDisposable {
  next(): Promise<readonly [pid: number, message: string]>;
}

async function listen(address: string): Promise<Listener> {
  const child: ChildProcess = spawn('python3', ['-c', receiver, address], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe('bound');
  return {
    async next() {
      const late = new Promise<never>((_, reject) => {
        setTimeout(() => reject(new Error('no message came within a minute')), 60_000).unref();
      });
      return JSON.parse(String((await Promise.race([lines.next(), late])).value));
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

test.each([join(dir, 'notify'), `@sluice-test-${process.pid}`])(
  'messages arrive in order from our own pid: %s',
  async (address) => {
    await using listener = await listen(address);
    {
      await using notifier = await createNotifier({ env: { NOTIFY_SOCKET: address } });
      notifier.ready('watching inbox');
      notifier.status('two\nlines');
      notifier.reloading();
      notifier.stopping(10_000);
      notifier.stopping();
    }
    expect(await listener.next()).toEqual([process.pid, 'READY=1\nSTATUS=watching inbox']);
    expect(await listener.next()).toEqual([process.pid, 'STATUS=two lines']);
    const before = process.hrtime.bigint() / 1000n;
    const [, reloading] = await listener.next();
    expect(reloading).toMatch(/^RELOADING=1\nMONOTONIC_USEC=\d+\nSTATUS=reloading$/);
    expect(before - BigInt(/USEC=(\d+)/.exec(reloading)?.[1] ?? 0)).toBeLessThan(100_000_000n);
    expect((await listener.next())[1]).toBe('STOPPING=1\nSTATUS=stopping\nEXTEND_TIMEOUT_USEC=30000000');
    expect((await listener.next())[1]).toBe('STOPPING=1\nSTATUS=stopping');
  },
);

test('the watchdog is fed while the check passes, and not when it fails', async () => {
  const address = join(dir, 'watchdog');
  await using listener = await listen(address);
  const env = { NOTIFY_SOCKET: address, WATCHDOG_USEC: '60000', WATCHDOG_PID: String(process.pid) };
  await using notifier = await createNotifier({ env });
  let asked = 0;
  const failed = Promise.withResolvers<void>();
  notifier.startWatchdog(async () => {
    asked += 1;
    if (asked === 3) failed.resolve();
    if (asked === 3) throw new Error('the ledger does not answer');
    return asked < 3;
  });
  expect((await listener.next())[1]).toBe('WATCHDOG=1');
  expect((await listener.next())[1]).toBe('WATCHDOG=1');
  await failed.promise;
  notifier.status('after the failure');
  expect((await listener.next())[1]).toBe('STATUS=after the failure');
});

test.each([{}, { NOTIFY_SOCKET: '' }, { WATCHDOG_USEC: '1000' }])(
  'without a socket nothing is done: %j',
  async (env) => {
    let asked = false;
    await using notifier = await createNotifier({ env });
    notifier.ready('x');
    notifier.startWatchdog(async () => {
      asked = true;
      return true;
    });
    await notifier[Symbol.asyncDispose]();
    expect(asked).toBe(false);
  },
);

test("another process's watchdog is not ours", async () => {
  let asked = false;
  await using notifier = await createNotifier({
    env: { NOTIFY_SOCKET: join(dir, 'x'), WATCHDOG_USEC: '3000', WATCHDOG_PID: '1' },
  });
  notifier.startWatchdog(async () => {
    asked = true;
    return true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(asked).toBe(false);
});

test('a socket that nobody listens on is reported, with a fix', async () => {
  const errors: AppError[] = [];
  const notifier = await createNotifier({
    env: { NOTIFY_SOCKET: join(dir, 'nobody') },
    onFailure: (error) => errors.push(error),
  });
  notifier.ready('x');
  await notifier[Symbol.asyncDispose]();
  expect(errors.map((error) => [error.code, error.message])).toEqual([
    ['SERVICE_FAILED', expect.stringMatching(/failed: ENOENT/)],
  ]);
});

test('where the C library can not send it, systemd-notify does', async () => {
  const [bin, log] = [join(dir, 'bin'), join(dir, 'called')];
  mkdirSync(bin);
  const command = join(bin, 'systemd-notify');
  writeFileSync(command, `#!/bin/sh\nfor word; do echo "$word" >> '${log}'; done\n`);
  chmodSync(command, 0o755);
  const env = { NOTIFY_SOCKET: 'vsock:2:1', PATH: `${bin}:/usr/bin:/bin` };
  const notifier = await createNotifier({ env, onFailure: (error) => expect.unreachable(error.message) });
  notifier.ready('it runs');
  await notifier[Symbol.asyncDispose]();
  expect(readFileSync(log, 'utf8')).toBe(`--pid=${process.pid}\nREADY=1\nSTATUS=it runs\n`);
});

test('addresses that are no unix socket are refused', async () => {
  await expect(openNotifySocket('vsock:2:1')).rejects.toThrow(/not a unix socket/);
  await expect(openNotifySocket(`/${'x'.repeat(120)}`)).rejects.toThrow(/longer/);
});

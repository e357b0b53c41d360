/**
 * One datagram to the socket that systemd names in `NOTIFY_SOCKET`. Node has no unix datagram sockets, so the C library
 * sends it: from our own process, which `NotifyAccess=main` lets through, and in microseconds.
 */
import { endianness } from 'node:os';
import { getSystemErrorName } from 'node:util';

export interface NotifySocket {
  /** @returns the system's error code; undefined when it was sent. */
  send(message: string): string | undefined;
}

const addressBytes = 108;

/** @throws where there is no such C library, koffi has no build for it, or the address is not one of the file system. */
export async function openNotifySocket(address: string): Promise<NotifySocket> {
  if (process.platform !== 'linux') throw new Error(`there is no systemd on ${process.platform}`);
  const target = socketAddress(address);
  const { default: koffi } = await import('koffi');
  const library = koffi.load(null);
  const socket = library.func('int socket(int, int, int)');
  const sendto = library.func('long sendto(int, const void*, size_t, int, const void*, uint32_t)');
  const close = library.func('int close(int)');
  const [unix, datagram, closeOnExec, noSignal, doNotWait] = [1, 2, 0o2000000, 0x4000, 0x40];
  const errorName = () => getSystemErrorName(-koffi.errno());
  return {
    send(message) {
      const fd: number = socket(unix, datagram | closeOnExec, 0);
      if (fd < 0) return errorName();
      try {
        const bytes = Buffer.from(message);
        const sent = Number(sendto(fd, bytes, bytes.length, noSignal | doNotWait, target, target.length));
        return sent < 0 ? errorName() : undefined;
      } finally {
        close(fd);
      }
    },
  };
}

/** `struct sockaddr_un`: family, then the path; a leading `@` stands for the NUL of an abstract name. */
function socketAddress(address: string): Buffer {
  if (!/^[/@]./s.test(address)) throw new Error(`"${address}" is not a unix socket`);
  const abstract = address.startsWith('@');
  const path = Buffer.from(abstract ? `\0${address.slice(1)}` : `${address}\0`);
  if (path.length > addressBytes) throw new Error(`"${address}" is longer than a socket's name can be`);
  const family = Buffer.alloc(2);
  if (endianness() === 'LE') family.writeUInt16LE(1);
  else family.writeUInt16BE(1);
  return Buffer.concat([family, path]);
}

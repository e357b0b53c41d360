/** Drops files the way people and programs do: copied one by one, moved in by rename, a folder at once, slowly. */
import {
  closeSync,
  cpSync,
  globSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface DropOptions {
  readonly from: string;
  readonly inbox: string;
  readonly say: (line: string) => void;
}

/** @returns how many of the dropped files will have a receipt. */
export async function dropAll({ from, inbox, say }: DropOptions): Promise<number> {
  const files = globSync('**/*', { cwd: from }).filter((file) => statSync(join(from, file)).isFile());
  const folders = new Set(files.map((file) => file.split('/')[0] as string));
  const [first = '', second = '', ...rest] = [...folders].sort();
  say(
    `dropping ${files.length} files: ${first}/ copied as a folder, ${second}/ moved in, the rest file by file`,
  );
  cpSync(join(from, first), join(inbox, first), { recursive: true });
  await moveIn(join(from, second), join(inbox, second));
  const slow = writeSlowly(join(from, 'logs/access.log'), join(inbox, 'still-being-written.log'), say);
  for (const file of files.filter((name) => rest.includes(name.split('/')[0] as string))) {
    mkdirSync(join(inbox, dirname(file)), { recursive: true });
    cpSync(join(from, file), join(inbox, file));
    await sleep(15);
  }
  await slow;
  const quarantined = files.filter((file) => /\.(zip|exe)$/.test(file)).length;
  return files.length + 1 - quarantined;
}

/** As a download that has finished does, or a mail program: complete from the first moment. */
async function moveIn(from: string, to: string): Promise<void> {
  const outside = join(dirname(dirname(to)), 'staging');
  mkdirSync(outside, { recursive: true });
  cpSync(from, join(outside, 'folder'), { recursive: true });
  renameSync(join(outside, 'folder'), to);
  rmSync(outside, { recursive: true });
}

/** As a scanner or an export does. It is processed once, when it is closed. */
async function writeSlowly(from: string, to: string, say: (line: string) => void): Promise<void> {
  const content = readFileSync(from);
  const fd = openSync(to, 'w');
  const step = Math.ceil(content.length / 8);
  for (let at = 0; at < content.length; at += step) {
    writeSync(fd, content, at, Math.min(step, content.length - at));
    await sleep(250);
  }
  closeSync(fd);
  say('the slow writer has closed its file');
}

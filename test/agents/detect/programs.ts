/** Programs that answer as a test wants, in folders of their own. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

export class Machine {
  readonly dir: string;
  /** Of the programs. */
  readonly bin: string;

  constructor() {
    this.dir = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-detect-')));
    onTestFinished(() => rmSync(this.dir, { recursive: true, force: true }));
    this.bin = join(this.dir, 'bin');
    mkdirSync(this.bin);
    mkdirSync(join(this.dir, 'tmp'));
    mkdirSync(join(this.dir, 'home'));
  }

  get env(): NodeJS.ProcessEnv {
    return { PATH: `${this.bin}:/usr/bin:/bin`, HOME: join(this.dir, 'home') };
  }

  /** By rename, as installers do. @param body Of a shell script. `$calls` is where it tells what it was asked. */
  put(name: string, body: string, mode = 0o755): string {
    const file = join(this.bin, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(
      `${file}.new`,
      `#!/bin/sh\ncalls=${join(this.dir, `${name.replaceAll('/', '-')}.calls`)}\n${body}\n`,
    );
    chmodSync(`${file}.new`, mode);
    renameSync(`${file}.new`, file);
    return file;
  }

  /** One that says its version and these flags, and tells of each call. */
  answer(name: string, version: string, flags: readonly string[] = ['--json']): string {
    return this.put(
      name,
      `echo "$*" >> "$calls"\ncase "$*" in *help*) printf '%s\\n' ${flags.map((flag) => `'  ${flag}  a flag'`).join(' ')} ;; *) echo "${version}" ;; esac`,
    );
  }

  /** @returns its path. */
  write(path: string, text: string): string {
    const file = join(this.dir, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  calls(name: string): readonly string[] {
    try {
      return readFileSync(join(this.dir, `${name}.calls`), 'utf8')
        .trimEnd()
        .split('\n');
    } catch {
      return [];
    }
  }
}

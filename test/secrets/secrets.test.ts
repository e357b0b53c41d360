/** References become values only for those who need them, and values never reach an output. */

import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { armor, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { joinWithData } from '../../src/config/reference.ts';
import { redacted } from '../../src/secrets/redactor.ts';
import { createSecrets, type Secrets } from '../../src/secrets/secrets.ts';
import { AppError } from '../../src/types/errors.ts';

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-secrets-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** Secrets that know these values already. */
async function knowing(...values: string[]): Promise<Secrets> {
  const env = Object.fromEntries(values.map((value, index) => [`S${index}`, value]));
  const secrets = createSecrets({ env, projectDir: '/' });
  for (const name of Object.keys(env)) await secrets.resolve(`\${env:${name}}`);
  return secrets;
}

async function failure(promise: Promise<unknown>): Promise<AppError> {
  const error = await promise.then(
    () => undefined,
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(AppError);
  return error as AppError;
}

test('environment, files and credentials are resolved, side by side', async () => {
  const dir = await folder();
  await writeFile(join(dir, 'own'), 'from-file\n', { mode: 0o600 });
  await writeFile(join(dir, 'cred'), 'from-systemd', { mode: 0o440 });
  const secrets = createSecrets({ env: { A: '${env:B}', B: 'other' }, projectDir: dir, credentialsDir: dir });
  expect(
    await secrets.resolve(
      `x \${env:A}:\${file:${dir}/own} \${file:own} \${credential:cred} \${{ file.path }}`,
    ),
  ).toBe('x ${env:B}:from-file from-file from-systemd ${{ file.path }}');
  expect(secrets.references('a ${env:A}').map((reference) => reference.text)).toEqual(['${env:A}']);
  expect(await secrets.resolve('nothing here')).toBe('nothing here');
});

test.each([
  ['${env:NONE}', 'SECRET_UNRESOLVED', /NONE.*not set/],
  ['${env:EMPTY}', 'SECRET_UNRESOLVED', /empty/],
  ['${env:SHORT}', 'SECRET_UNRESOLVED', /shorter than 4/],
  ['${file:/no/such/file}', 'SECRET_UNRESOLVED', /does not exist/],
  ['${file:/}', 'SECRET_UNRESOLVED', /not a file/],
  ['${credential:x}', 'SECRET_UNRESOLVED', /CREDENTIALS_DIRECTORY/],
  ['${age:x.yaml#k}', 'SECRET_UNRESOLVED', /SLUICE_AGE_IDENTITY|identity/],
])('%s cannot be resolved', async (text, code, message) => {
  const secrets = createSecrets({ env: { EMPTY: '', SHORT: 'abc' }, projectDir: '/' });
  const error = await failure(secrets.resolve(`see ${text}`));
  expect(error.code).toBe(code);
  expect(`${error.message} ${error.fix}`).toMatch(message);
  expect(error.message).not.toContain('abc');
  expect(error.fix).not.toBe('');
  expect(await secrets.check(text)).toMatchObject({ code, message: error.message });
});

test('data stays data: alone, with other data, with the text beside it', async () => {
  const secrets = createSecrets({ env: { HOOK: 'http-secret-path' }, projectDir: '/' });
  const own = (text: string) => ({ text, isData: false });
  const data = (text: string) => ({ text, isData: true });
  for (const parts of [
    [data('${env:HOOK}')],
    [data('$${env:HOOK}')],
    [data('$$$${env:HOOK}')],
    [data('$')],
    [data('${{ x }}')],
    [data('a${env:HOOK}$${file:/x}')],
    [data('${env'), data(':HOOK}')],
    [data('$'), data('{'), data('env:HOOK}')],
    [own('${env:'), data('HOOK'), own('}')],
    [own('${'), data('env:HOOK}')],
    [data('$'), own('{env:HOOK}')],
    [own('$'), data('${env:HOOK}')],
    [data('$$'), data('$${en'), data('v:HOOK}')],
    [data('${env:HO'), own('OK}')],
  ]) {
    const text = parts.map((part) => part.text).join('');
    expect(await secrets.resolve(joinWithData([own('a='), ...parts, own(' b=${env:HOOK}')]))).toBe(
      `a=${text} b=http-secret-path`,
    );
  }
  expect(await secrets.resolve('$${env:HOOK}')).toBe('${env:HOOK}');
});

test('a file that others can read is refused', async () => {
  const dir = await folder();
  const secrets = createSecrets({ env: {}, projectDir: dir });
  await writeFile(join(dir, 's'), 'hidden-value');
  for (const mode of [0o644, 0o640, 0o604, 0o620, 0o601]) {
    await chmod(join(dir, 's'), mode);
    const error = await failure(secrets.resolve('${file:s}'));
    expect(error.code).toBe('SECRET_EXPOSED');
    expect(error.message).not.toContain('hidden-value');
    expect(error.fix).toContain('chmod 600');
  }
  await chmod(join(dir, 's'), 0o400);
  expect(await secrets.resolve('${file:s}')).toBe('hidden-value');
});

test('the file behind a link counts, a FIFO does not make us wait, a large file is refused', async () => {
  const dir = await folder();
  const secrets = createSecrets({ env: {}, projectDir: dir });
  await writeFile(join(dir, 'open'), 'value', { mode: 0o644 });
  await symlink('open', join(dir, 'link'));
  expect((await failure(secrets.resolve('${file:link}'))).code).toBe('SECRET_EXPOSED');
  execFileSync('mkfifo', ['-m', '600', join(dir, 'fifo')]);
  expect((await failure(secrets.resolve('${file:fifo}'))).message).toMatch(/not a file/);
  await writeFile(join(dir, 'big'), Buffer.alloc(100_000, 'x'), { mode: 0o600 });
  expect((await failure(secrets.resolve('${file:big}'))).message).toMatch(/larger/);
});

test('a file of another user is refused', {
  skip: process.getuid?.() !== 0 /* only root can give a file away */,
}, async () => {
  const dir = await folder();
  const secrets = createSecrets({ env: {}, projectDir: dir });
  await writeFile(join(dir, 's'), 'value', { mode: 0o600 });
  execFileSync('chown', ['65534', join(dir, 's')]);
  expect((await failure(secrets.resolve('${file:s}'))).code).toBe('SECRET_EXPOSED');
});

test('values in an age-encrypted file', async () => {
  const dir = await folder();
  const identity = await generateX25519Identity();
  const other = await generateX25519Identity();
  const encrypter = new Encrypter();
  encrypter.addRecipient(await identityToRecipient(identity));
  const bytes = await encrypter.encrypt(
    'token: tok-12345\ndb:\n  password: "pa ss"\nport: 54321\n"a.b": dotted\nlist: [1]\n',
  );
  await writeFile(join(dir, 'binary.age'), bytes);
  await writeFile(join(dir, 'armored.age'), armor.encode(bytes));
  await writeFile(join(dir, 'id'), `# created: today\n# public key: age1…\n${other}\n${identity}\n`, {
    mode: 0o600,
  });
  await writeFile(join(dir, 'wrong'), other, { mode: 0o600 });
  const secrets = createSecrets({ env: {}, projectDir: dir, identityFile: join(dir, 'id') });
  expect(
    await secrets.resolve(
      '${age:binary.age#token} ${age:armored.age#db.password} ${age:binary.age#port} ${age:binary.age#a.b}',
    ),
  ).toBe('tok-12345 pa ss 54321 dotted');
  expect(secrets.redact('it was tok-12345')).toBe(`it was ${redacted}`);
  for (const [text, message] of [
    ['${age:binary.age#none}', /no text under the key "none"/],
    ['${age:binary.age#list}', /no text/],
    ['${age:binary.age#__proto__}', /no text/],
    ['${age:id#x}', /cannot be decrypted/],
    ['${age:missing.age#x}', /does not exist/],
  ] as const) {
    const error = await failure(secrets.resolve(text));
    expect(error.message).toMatch(message);
    expect(`${error.message}${error.fix}${error.cause ?? ''}`).not.toMatch(/tok-12345|AGE-SECRET/);
  }
  const viaEnv = createSecrets({ env: { SLUICE_AGE_IDENTITY: join(dir, 'wrong') }, projectDir: dir });
  expect((await failure(viaEnv.resolve('${age:binary.age#token}'))).message).toMatch(/cannot be decrypted/);
  await chmod(join(dir, 'id'), 0o644);
  expect((await failure(secrets.resolve('${age:binary.age#token}'))).code).toBe('SECRET_EXPOSED');
});

test('nothing is redacted before something is resolved; a check registers nothing', async () => {
  const secrets = createSecrets({ env: { A: 'topsecret' }, projectDir: '/' });
  expect(await secrets.check('${env:A}')).toBeUndefined();
  expect(secrets.redact('topsecret')).toBe('topsecret');
  await secrets.resolve('${env:A}');
  expect(secrets.redact('topsecret')).toBe(redacted);
});

const nasty = 'p@ss/w+rd "q"\\ é\n%$^*(a|b)[x]';
test.each([
  ['raw', nasty],
  ['JSON', JSON.stringify(nasty).slice(1, -1)],
  ['JSON as other languages write it', JSON.stringify(nasty).slice(1, -1).replaceAll('é', '\\u00e9')],
  ['URL', encodeURIComponent(nasty)],
  ['URL, lower case', encodeURIComponent(nasty).replace(/%../g, (code) => code.toLowerCase())],
  ['a form', new URLSearchParams({ k: nasty }).toString().slice(2)],
  ['base64', Buffer.from(nasty).toString('base64').replace(/=+$/, '')],
  ['base64url', Buffer.from(nasty).toString('base64url')],
])('redacted as %s', async (_name, form) => {
  const secrets = await knowing(nasty);
  expect(secrets.redact(`before ${form} after`)).toMatch(/^before \[redacted\][\w=+/%]{0,4} after$/);
});

test.each(['', 'a', 'ab', 'user:', 'user5:'])(
  'redacted in the middle of base64: %j before it',
  async (before) => {
    const secrets = await knowing('correct-horse-battery');
    const text = Buffer.from(`${before}correct-horse-battery:after`).toString('base64');
    const out = secrets.redact(text);
    expect(out).toContain(redacted);
    expect(Buffer.from(out.replace(redacted, ''), 'base64').toString('latin1')).not.toMatch(/orse|batt/);
  },
);

describe('base64 that a program broke into lines', () => {
  const key = `sk-${'Ab3dEf9hIj'.repeat(6)}`;
  const file = `USER=me\nKEY=${key}\nLAST=1\n`;
  const encoded = Buffer.from(file).toString('base64');
  const lines = (width: number, end: string) =>
    encoded.replace(new RegExp(`.{${width}}(?=.)`, 'g'), `$&${end}`);
  const kept = (text: string) =>
    Buffer.from(text.replaceAll(/\\+[rn]|[\r\n]/g, ''), 'base64').toString('latin1');

  test.each([
    ['76', lines(76, '\n')],
    ['64', lines(64, '\r\n')],
    ['76 in JSON', JSON.stringify(lines(76, '\n'))],
    ['76 in JSON in JSON', JSON.stringify(JSON.stringify(lines(76, '\r\n')))],
  ])('is redacted, at once and in pieces: %s', async (_, text) => {
    const secrets = await knowing(key);
    const plain = secrets.redact(text);
    expect(plain).toContain(redacted);
    expect(kept(plain.replace(redacted, ''))).not.toMatch(/Ef9h|3dEf/);
    for (const size of [1, 7, 75, 76, 77]) {
      const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_one, n) =>
        Buffer.from(text.slice(n * size, (n + 1) * size)),
      );
      expect((await streamed(secrets, chunks)).toString()).toBe(plain);
    }
  });
});

test('of two secrets that begin alike the longer one goes whole', async () => {
  const secrets = await knowing('abcd', 'abcdefgh', 'xxabcdxx');
  expect(secrets.redact('abcdefgh abcd xxabcdxx')).toBe(`${redacted} ${redacted} ${redacted}`);
});

async function streamed(secrets: Secrets, chunks: readonly Buffer[]): Promise<Buffer> {
  return buffer(Readable.from(chunks, { objectMode: true }).pipe(secrets.redactStream()));
}

test('a stream is redacted however it is cut', async () => {
  const secrets = await knowing('topsecret', 'ünïcode-Wert', 'aaaa');
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.constantFrom('topsecret', 'topsecre', 'ünïcode-Wert', 'aaa', 'a', ' ', 'x', 'dG9wc2VjcmV0', 'ü'),
        { maxLength: 30 },
      ),
      fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 40 }),
      async (parts, cuts) => {
        const text = parts.join('');
        const bytes = Buffer.from(text);
        const chunks: Buffer[] = [];
        for (let at = 0, n = 0; at < bytes.length; n += 1) {
          const length = Math.max(1, cuts[n % cuts.length] ?? 1);
          chunks.push(bytes.subarray(at, at + length));
          at += length;
        }
        expect((await streamed(secrets, chunks)).toString()).toBe(secrets.redact(text));
      },
    ),
    { numRuns: 300 },
  );
});

test('binary passes unchanged, with and without secrets', async () => {
  const bytes = Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7919) % 256));
  const empty = createSecrets({ env: {}, projectDir: '/' });
  for (const secrets of [empty, await knowing('topsecret')])
    expect((await streamed(secrets, [bytes.subarray(0, 1234), bytes.subarray(1234)])).equals(bytes)).toBe(
      true,
    );
});

test('a file is rewritten when it holds a secret, across the pieces it is read in', async () => {
  const dir = await folder();
  const file = join(dir, 'out.txt');
  const secrets = await knowing('topsecret');
  // Pieces are 256 KiB: one secret lies across the border, one at the very end.
  const content = `${'x'.repeat(256 * 1024 - 4)}topsecret${'y'.repeat(300_000)}topsecret`;
  await writeFile(file, content, { mode: 0o640 });
  await secrets.redactFile(file);
  expect(await readFile(file, 'utf8')).toBe(content.replaceAll('topsecret', redacted));
  expect((await stat(file)).mode & 0o777).toBe(0o640);
  expect(await readdir(dir)).toEqual(['out.txt']);
});

test('a file without a secret stays the same file', async () => {
  const dir = await folder();
  const file = join(dir, 'out.txt');
  await writeFile(file, 'harmless');
  const before = await stat(file);
  await (await knowing('topsecret')).redactFile(file);
  expect((await stat(file)).ino).toBe(before.ino);
  await createSecrets({ env: {}, projectDir: '/' }).redactFile(join(dir, 'none'));
});

test('a link is not followed', async () => {
  const dir = await folder();
  await writeFile(join(dir, 'victim'), 'topsecret');
  await symlink('victim', join(dir, 'out.txt'));
  await expect((await knowing('topsecret')).redactFile(join(dir, 'out.txt'))).rejects.toThrow(
    /ELOOP|symbolic/i,
  );
  expect(await readFile(join(dir, 'victim'), 'utf8')).toBe('topsecret');
});

test('file names of any kind', async () => {
  const dir = await folder();
  const secrets = await knowing('topsecret');
  for (const name of ['a b\n"$(x)', '\uef80.txt', 'x'.repeat(255)]) {
    const file = join(dir, name);
    const { fsPath } = await import('../../src/types/path-bytes.ts');
    await writeFile(fsPath(file), 'topsecret');
    await secrets.redactFile(file);
    expect(await readFile(fsPath(file), 'utf8')).toBe(redacted);
  }
});

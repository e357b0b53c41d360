import { expect, test } from 'vitest';
import { Example, lacks } from './example.ts';

const why = lacks('python3');
const header = 'order_id,ordered_on,customer,email,country,total\n';

test.skipIf(why !== undefined)(
  `csv-validation: good ones come out uniform, bad ones in quarantine ${why ?? ''}`,
  async () => {
    const example = new Example('csv-validation');
    const good = `${header}7,2026-03-01,"Zeile\neins, ""zwei""",,DE,1\n`;
    const bad: Readonly<Record<string, readonly [string, string]>> = {
      'leer.csv': ['', 'the file is empty'],
      'only header.csv': [header, 'there are no rows below the header'],
      '-dash.csv': [`${header}x,2026-03-01,A,,DE,1\n`, 'line 2: "order_id": "x" is no whole number'],
      'Ünï "cöde" $(touch hacked).CSV': [
        `${header}1,2026-03-01,A,,DE\n`,
        'line 2: has 5 fields, the header has 6',
      ],
      'binary.csv': ['\0\u0001\u0002', 'the file is no text: it holds NUL bytes'],
      'columns.csv': [
        'order_id,total,total,colour\n1,2,3,4\n',
        'line 1: "total": there are two columns of this name',
      ],
      'open quote.csv': [`${header}1,2026-03-01,"A,,DE,1\n`, 'cannot be read as CSV'],
      'blank.csv': ['\n\n', 'begins with an empty line'],
      'formula.csv': [`${header}1,2026-03-01,A,,"=1+1",1\n`, '"=1+1" is not one of AT, CH, DE, FR, NL'],
    };
    for (const [name, [text]] of Object.entries(bad)) example.write(`inbox/${name}`, text);
    example.write('inbox/deep/er/-ö [1].csv', good);
    example.write('inbox/tabs.csv', `\ufeff${header.replaceAll(',', '\t')}9\t31.12.2025\tBo\t\tNL\t0,5\n`);
    example.write('inbox/not.txt', 'no table');

    const first = await example.call('run');
    expect(first.code).toBe(1);
    expect(first.stdout).toContain('4 succeeded, 10 failed');
    expect(example.list('clean')).toEqual(['deep', 'shop', 'tabs.csv']);
    expect(example.read('clean/deep/er/-ö [1].csv')).toBe(good);
    expect(example.read('clean/tabs.csv')).toBe(`${header}9,2025-12-31,Bo,,NL,0.5\n`);
    expect(example.read('clean/shop/export Süd.csv')).toBe(
      `${header}2001,2026-03-01,Jürgen Müller,,DE,1234.50\n2002,2026-03-02,Benoît Noir,benoit@example.fr,FR,80.00\n`,
    );
    expect(example.read('inbox/deep/er/-ö [1].csv.done')).toBe('1 rows\n');
    for (const [name, [text, reason]] of Object.entries(bad)) {
      expect(example.read(`inbox/${name}`)).toBe(text);
      expect(example.read(`quarantine/${name}`)).toBe(text);
      expect(example.read(`quarantine/${name}.reason.txt`)).toContain(reason);
      expect(example.read(`inbox/${name}.rejected`)).toContain(reason);
      expect(example.has(`inbox/${name}.done`)).toBe(false);
    }
    expect(example.read('quarantine/returns.csv.reason.txt').trim().split('\n')).toHaveLength(5);
    expect(example.has('hacked') || example.has('inbox/hacked')).toBe(false);

    // What was bad becomes good, what was good bad; and a file for which there is no verdict, since the schema is broken.
    example.write('inbox/leer.csv', good);
    example.write('inbox/tabs.csv', header);
    const second = await example.call('run');
    expect(second.code).toBe(1);
    expect(
      ['inbox/leer.csv.done', 'clean/leer.csv', 'inbox/tabs.csv.rejected', 'quarantine/tabs.csv'].filter(
        (path) => !example.has(path),
      ),
    ).toEqual([]);
    expect(
      ['inbox/leer.csv.rejected', 'quarantine/leer.csv', 'inbox/tabs.csv.done', 'clean/tabs.csv'].filter(
        (path) => example.has(path),
      ),
    ).toEqual([]);

    example.write('workflows/csv-validation/schema.json', '{"columns": [');
    example.write('inbox/late.csv', good);
    const third = await example.call('run');
    expect(third.stdout).toContain('cannot check');
    expect(example.read('inbox/late.csv.error')).toMatch(/^could not be checked, ask for run \d{8}-/);
    expect(example.has('inbox/late.csv.rejected')).toBe(false);
  },
);

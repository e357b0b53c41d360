import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Example, found, hasModule, lacks } from './example.ts';

const why = lacks('python3', 'node');

test.skipIf(why !== undefined)(
  `code-quality: real linters over good, bad and odd files ${why ?? ''}`,
  async () => {
    const example = new Example('code-quality');
    const sample = await example.run();
    expect(sample.code).toBe(1);
    expect(sample.states).toEqual({
      analyze_code: 'failed',
      generate_docs: 'succeeded',
      documentation_gate: 'failed',
      create_report: 'succeeded',
    });
    const report = sample.output('create_report', 'code-quality.md');
    expect(report).toMatch(/6 files looked at, \*\*1 with findings\*\*, 1 of no language/);
    expect(report).toMatch(/### src\/restore\.sh\n\n.*line \d+: /);
    expect(report).toContain('3 of 4 public names have a docstring: **75 %** (80 % are wanted; **too few**)');
    expect(report).toContain('- shop.basket.empty');
    expect(found(sample.dir, 'steps/generate_docs/outputs/**/*.md')).toEqual([
      'steps/generate_docs/outputs/index.md',
      'steps/generate_docs/outputs/shop/basket.md',
    ]);
    expect(sample.output('generate_docs', 'shop/basket.md')).toContain('### `add(self, name, cents, count)`');

    const good = {
      'restore.sh': 'tar -xzf "$1"\n',
      'leer.py': '',
      'leer.sh': '',
      'latin.py': '# coding: latin-1\nprice = 1\n',
      'module.js': 'import { a } from "./b.js";\nexport default a;\n',
      'script.js': 'with (globalThis) { console }\n',
      '"quoted" $(touch hacked).sh': 'echo yes\n',
      '100%25 [1] ü.json': '\ufeff{"a": [1]}',
    };
    const bad = {
      '-n.py': 'def broken(:\n',
      'nul.py': 'a = 1\0\n',
      "Süß '1'.js": 'const a = ;\n',
      'unfinished.sh': 'for a in 1 2; do\n',
      'leer.json': '',
      'twice.json': '{"a": 1, "a": 2}',
      'deep.json': '['.repeat(100_000),
    };
    const yaml = hasModule('yaml') ? { 'kaputt ü.yaml': 'a: [1\nb: {' } : {};
    for (const [name, text] of Object.entries({ ...good, ...bad, ...yaml }))
      example.write(`src/${name}`, text);
    const second = await example.run('min_documented=10');
    expect(second.code).toBe(1);
    expect(second.states.documentation_gate).toBe('skipped');
    const text = second.output('create_report', 'code-quality.md');
    const findings = [...text.matchAll(/^### (.*)$/gm)].map(([, name = '']) =>
      name.replaceAll('\\', '').replace('src/', ''),
    );
    expect(findings.toSorted()).toEqual(Object.keys({ ...bad, ...yaml }).toSorted());
    expect(text).toContain('Left out because they do not parse: -n.py, nul.py');
    expect(text).toContain('the key "a" stands twice');
    expect(example.has('hacked') || example.has('src/hacked')).toBe(false);
    // Nothing is left beside the sources.
    expect(found(example.dir, '**/__pycache__')).toEqual([]);

    for (const name of Object.keys({ ...bad, ...yaml })) example.remove(join('src', name));
    const third = await example.run('min_documented=10');
    expect([third.code, third.json.state, third.hasReport]).toEqual([0, 'succeeded', true]);
    expect(third.json.outputs).toEqual({ failed: 0, documented: 75 });
  },
);

test.skipIf(why !== undefined)('code-quality: an empty folder, and one that is not there', async () => {
  const example = new Example('code-quality');
  example.write('leer/.keep', '');
  const empty = await example.run('source=leer');
  expect(empty.code).toBe(0);
  expect(empty.output('create_report', 'code-quality.md')).toContain('There is nothing public to document.');
  const none = await example.run('source=nirgends');
  expect(none.code).toBe(1);
  expect(none.output('create_report', 'code-quality.md')).toContain('there is no folder nirgends');
});

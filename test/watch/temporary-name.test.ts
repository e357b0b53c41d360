import { expect, test } from 'vitest';
import { looksTemporary } from '../../src/watch/temporary-name.ts';

test.each([
  'doc.md.new',
  '.doc.md.swp',
  'doc.md~',
  '#doc.md#',
  'tmp123',
  'a.tmp1',
  'doc.md.4f7a91',
  'sedA1b2C3.tmp',
  'x-temp.csv',
  '.env',
])('%s may be renamed in a moment', (name) => expect(looksTemporary(name)).toBe(true));

test.each([
  'doc.md',
  'report.csv',
  'newsletter.txt',
  'partner.json',
  'photo.jpeg',
  'template.html',
  'orders_2026.csv',
  'Makefile',
  'song.mp3',
])('%s is what it is', (name) => expect(looksTemporary(name)).toBe(false));

/** PDF: version, whether it is encrypted, whether its end is there. Pages would need a real PDF reader. */
import type { Kind } from '../kind.ts';
import { blocks, code, list } from '../markup.ts';
import type { Subject } from '../subject.ts';

export const pdf: Kind<Subject> = {
  claims: ({ type }) => type.mime === 'application/pdf',
  describe: async (subject) => {
    const tail = (await subject.read(Math.max(0, subject.bytes - 4096), 4096)).toString('latin1');
    const version = /%PDF-(\d\.\d)/.exec(subject.head.toString('latin1', 0, 1024))?.[1];
    const encrypted = tail.includes('/Encrypt');
    const broken = tail.includes('%%EOF') ? '' : ', **damaged**: it ends before its end mark';
    return {
      headline: `PDF${version === undefined ? '' : ` ${version}`}${encrypted ? ', encrypted' : ''}${broken}`,
      body: blocks(
        '## PDF',
        list([
          `Version: ${version === undefined ? 'not given' : code(version)}; encrypted: ${encrypted ? 'yes' : 'not seen'}.`,
          broken === ''
            ? 'End mark: there.'
            : '**Damaged**: the end mark is missing, so the end was probably cut off.',
        ]),
      ),
    };
  },
};

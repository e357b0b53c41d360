/**
 * Turns what the file system refuses into an error that says what to do, and into a condition that lasts until a write
 * succeeds again. Faults of our own pass through unchanged: no amount of disk space would mend them.
 */
import type { Conditions } from '../types/condition.ts';
import { AppError, messageOf, systemCode } from '../types/errors.ts';

export interface OutputGuard {
  /** @param action For the message: "deliver the result of …". */
  run<T>(action: string, work: () => Promise<T>): Promise<T>;
}

const noSpace = new Set(['ENOSPC', 'EDQUOT']);

export function createOutputGuard(o: { readonly dir: string; readonly conditions: Conditions }): OutputGuard {
  const raised = new Set<'DISK_FULL' | 'OUTPUT_UNWRITABLE'>();
  return {
    async run(action, work) {
      try {
        const value = await work();
        for (const code of raised) o.conditions.clear(code, o.dir);
        raised.clear();
        return value;
      } catch (error) {
        const system = systemCode(error);
        if (error instanceof AppError || system === undefined || system.startsWith('ERR_')) throw error;
        const code = noSpace.has(system) ? 'DISK_FULL' : 'OUTPUT_UNWRITABLE';
        const message = `Could not ${action} in "${o.dir}": ${messageOf(error)}`;
        const fix =
          code === 'DISK_FULL'
            ? `Free space on the disk of "${o.dir}"; it goes on by itself then.`
            : `Let the user of Sluice write there (\`ls -ld ${quote(o.dir)}\`), or set output_settings.default_output_dir to a folder it can write.`;
        o.conditions.raise({ code, subject: o.dir, message, fix });
        raised.add(code);
        throw new AppError(code, message, { fix, cause: error });
      }
    },
  };
}

function quote(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

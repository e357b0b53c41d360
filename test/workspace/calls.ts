/** Stands before every call that changes the file system. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const names =
  'renameSync linkSync unlinkSync rmSync mkdirSync rmdirSync copyFileSync symlinkSync chmodSync fsyncSync';
type Call = (...args: unknown[]) => unknown;

/** @param before What it throws, the call throws, and is not made. @returns what takes it away again. */
export function beforeEveryCall(before: () => void): () => void {
  const undo: (() => void)[] = [];
  const stand = (table: Record<string, Call>, name: string): void => {
    const call = table[name] as Call;
    table[name] = (...args) => {
      before();
      return call(...args);
    };
    undo.push(() => {
      table[name] = call;
    });
  };
  for (const name of names.split(' ')) stand(fs as unknown as Record<string, Call>, name);
  stand(fs.promises as unknown as Record<string, Call>, 'open');
  syncBuiltinESMExports();
  return () => {
    for (const one of undo) one();
    syncBuiltinESMExports();
  };
}

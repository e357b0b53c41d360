/** Loaded into a daemon under test: its clock is off by what the file `clock` in the working directory says, in ms. */
import { readFileSync } from 'node:fs';

const real = Date.now;
const file = `${process.cwd()}/clock`;
const offset = () => {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return 0;
  }
};
Date.now = () => real() + offset();
